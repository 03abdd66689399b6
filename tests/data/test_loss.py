"""What could not be read of a file is one line: whose, how many values, why, and in which channels."""

import numpy as np
import pytest

from abacad.data.filterbank import open_filterbank
from abacad.data.loss import Loss, Masked
from tests.data.files import ramp, write_fil


def test_a_line_names_file_number_reason_and_channels():
    entry = Masked("a.h5", "corrupt chunk", 2000, 3999, 1_234_567)
    assert str(entry) == "a.h5: 1,234,567 values corrupt chunk, in channels 2000 to 3999"


def test_equal_losses_are_one():
    """As when both polarisations miss the same rows."""
    assert len({Loss("cut off", 0, 1, 0, 64), Loss("cut off", 0, 1, 0, 64), Loss("cut off", 0, 1, 0, 63)}) == 2


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(
    ("channel", "n_channels", "told"), [(0, 40, [(30, 32, 9)]), (31, 9, [(31, 32, 6)]), (0, 30, [])]
)
def test_channels_count_upwards_in_frequency_and_values_are_the_files(channel, n_channels, told, descending, tmp_path):
    data = ramp(5, 40)
    data[1:4, 30:33] = np.nan
    file = open_filterbank(write_fil(tmp_path / "a.fil", data, descending))
    file.read(0, 5, channel, n_channels)
    assert [(entry.first, entry.last, entry.values) for entry in file.masked] == told


def test_a_single_value_is_told_as_one():
    assert str(Masked("a.h5", "not finite", 7, 7, 1)) == "a.h5: 1 value not finite, in channel 7"
