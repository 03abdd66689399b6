import numpy as np
import scipy.stats

from abacad.signal.chance import _STEP, Chance, _mix, between, log_uniform


def test_a_draw_depends_on_its_own_index_alone():
    many = Chance(5, np.arange(100)).uniform("needle", 7)
    few = Chance(5, np.array([42, 3])).uniform("needle", 7)
    np.testing.assert_array_equal(few, many[[42, 3]])
    np.testing.assert_array_equal(Chance(5, np.arange(100)).of(np.array([8])).uniform("needle", 7), many[[8]])


def test_seeds_names_and_indices_give_unrelated_draws():
    base = Chance(5, np.arange(20_000)).uniform("a", 1)[:, 0]
    others = [
        Chance(6, np.arange(20_000)).uniform("a", 1)[:, 0],
        Chance(5, np.arange(20_000)).uniform("b", 1)[:, 0],
        Chance(5, np.arange(1, 20_001)).uniform("a", 1)[:, 0],
        Chance(5, np.arange(20_000)).uniform("a", 2)[:, 1],
    ]
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 5 / np.sqrt(20_000)
        assert (base != other).mean() > 0.999


def test_the_hash_is_splitmix64():
    """The first outputs of the published generator for the seed 1234567."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    counters = np.uint64(1234567) + np.arange(1, 5, dtype=np.uint64) * _STEP
    assert _mix(counters).tolist() == published


def test_no_seed_makes_two_names_alike():
    """Of this seed the low bits are all 1 where they meet the checksum of the name, which a bitwise OR would lose."""
    seed = -pow(0x100000001B3, -1, 1 << 32) % (1 << 32)
    for other in (seed, 0, 5):
        keys = [int(Chance(other, np.array([0])).keys(name)[0]) for name in "abcdefgh"]
        assert len(set(keys)) == 8


def test_draws_are_uniform_and_normal():
    chance = Chance(1, np.arange(1000))
    assert scipy.stats.kstest(chance.uniform("u", 50).ravel(), "uniform").pvalue > 1e-4
    assert scipy.stats.kstest(chance.normal("n", 50).ravel(), "norm").pvalue > 1e-4


def test_log_uniform_keeps_to_its_bounds():
    values = log_uniform(np.linspace(0, 0.999999, 100), (0.1, 10.0))
    assert values[0] == 0.1
    assert values[-1] < 10
    np.testing.assert_allclose(np.median(values), 1, rtol=0.05)


def test_between_two_bounds_the_quarter_is_a_quarter_of_the_way():
    np.testing.assert_allclose(between(np.array([0.0, 0.25, 1.0]), -3.0, 5.0), [-3, -1, 5])


def test_small_seeds_draw_apart():
    """Seeds whose bits all lie in the prime's own would be one, were they not multiplied by it."""
    keys = {int(Chance(seed, np.array([0])).keys("a")[0]) for seed in range(600)}
    assert len(keys) == 600
