"""The review page in a real browser: verdicts, undo, reload, filters, tables, layers, and nobody left out."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from abacad.metric import wilson
from abacad.show.review import ReviewPage
from tests.show.pages import LAYOUT, Opened, candidates, page


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return page(20).write(tmp_path_factory.mktemp("page") / "review.html")


@pytest.fixture
def opened(browser, written) -> Opened:
    found = Opened(browser, written)
    yield found
    found.context.close()
    assert found.complaints == []


def _exported(opened: Opened) -> list[dict[str, str]]:
    with opened.tab.expect_download() as waiting:
        opened.press("x")
    return list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))


def _take(opened: Opened, field: str, text: str) -> None:
    opened.more()
    opened.tab.set_input_files(f"#{field}", {"name": "table.csv", "mimeType": "text/csv", "buffer": text.encode()})
    opened.tab.wait_for_function(f"() => document.getElementById('{field}').value === ''")


def test_one_key_is_one_verdict_and_goes_on(opened):
    opened.press("c", "r", "n", "u")
    assert opened.verdicts() == {"id0000": "candidate", "id0001": "rfi", "id0002": "noise", "id0003": "unsure"}
    assert opened.current() == "id0004"
    assert "4 of 20 judged" in opened.text("count")


def test_undo_takes_back_step_by_step(opened):
    opened.press("c", "r", "ArrowLeft", "n")
    assert opened.verdicts() == {"id0000": "candidate", "id0001": "noise"}
    opened.press("z")
    assert opened.verdicts() == {"id0000": "candidate", "id0001": "rfi"}
    assert opened.current() == "id0001"
    opened.press("z", "z", "z")
    assert opened.verdicts() == {}
    assert "nothing to undo" in opened.text("said")


def test_verdicts_and_notes_survive_a_reload(opened, written):
    opened.press("c", "t")
    opened.tab.keyboard.type("r is no verdict here, but <b>text</b>")
    opened.press("Enter", "r")
    opened.open(written)
    assert opened.verdicts() == {"id0000": "candidate", "id0001": "rfi"}
    assert "<b>text</b>" in opened.tab.locator(".card").nth(1).inner_text()


def test_escape_leaves_a_note_unwritten(opened):
    opened.press("t")
    opened.tab.keyboard.type("never mind")
    opened.press("Escape")
    assert _exported(opened) == []


def test_two_pages_do_not_mix(browser, written, tmp_path):
    first = Opened(browser, written)
    first.press("c")
    other = page(20, seed=5).write(tmp_path / "review.html")  # same ids, other pictures
    second = Opened(browser, other, context=first.context)
    assert second.verdicts() == {}
    second.press("n")
    first.open(written)
    assert first.verdicts() == {"id0000": "candidate"}
    first.context.close()


def test_two_windows_of_one_page_agree(browser, written):
    first = Opened(browser, written)
    second = Opened(browser, written, context=first.context)
    first.press("c")
    second.tab.wait_for_function("() => document.querySelector('.verdict').dataset.is === 'candidate'")
    second.press("ArrowRight", "r")
    first.open(written)
    assert first.verdicts() == {"id0000": "candidate", "id0001": "rfi"}
    first.context.close()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("score-low", "15", range(6)),
        ("score-high", "2", range(18, 20)),
        ("freq-low", "1415", [k for k in range(20) if k % 5 == 0 or k > 14]),
        ("drift-high", "0.035", range(4)),
        ("drift-low", "0.165", range(17, 20)),
    ],
)
def test_number_filters(opened, field, value, expected):
    opened.more()
    opened.tab.fill(f"#{field}", value)
    assert opened.shown() == [f"id{k:04d}" for k in expected]
    opened.tab.click("#clear")
    assert len(opened.shown()) == 20


def test_filters_by_family_and_verdict(opened):
    opened.more()
    opened.tab.select_option("#family", "standing line")
    assert opened.shown() == [f"id{k:04d}" for k in range(1, 20, 3)]
    assert opened.current() == "id0001"
    opened.tab.evaluate("document.activeElement.blur()")
    opened.press("c", "r")
    opened.tab.select_option("#verdict", "none")
    assert opened.shown() == [f"id{k:04d}" for k in range(7, 20, 3)]
    opened.tab.select_option("#verdict", "rfi")
    assert opened.shown() == ["id0004"]
    opened.tab.select_option("#verdict", "noise")
    assert opened.tab.locator("#nothing").is_visible()


def test_all_at_one_frequency_are_rfi_and_one_undo_takes_them_back(opened):
    opened.press("ArrowRight", "n", "ArrowLeft", "ArrowLeft", "f")
    assert opened.verdicts() == {"id0001": "noise"} | {f"id{k:04d}": "rfi" for k in range(0, 20, 5)}
    opened.press("z")
    assert opened.verdicts() == {"id0001": "noise"}


def test_what_is_exported_can_be_imported(browser, opened, written):
    opened.press("c", "r", "t")
    opened.tab.keyboard.type('=1+1, "quoted"')
    opened.press("Enter")
    rows = _exported(opened)
    assert [(row["id"], row["verdict"]) for row in rows] == [("id0000", "candidate"), ("id0001", "rfi"), ("id0002", "")]
    assert rows[2]["note"].startswith("'=")  # no formula in a spreadsheet
    assert float(rows[1]["freq_mhz"]) == pytest.approx(1401 + 9.5 * LAYOUT.axes.df_hz * 1e-6, abs=1e-6)
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0])
    table.writeheader()
    table.writerows([*rows, rows[0] | {"id": "of another page"}])
    other = Opened(browser, written)
    _take(other, "import", text.getvalue())
    assert other.verdicts() == opened.verdicts()
    assert "1 are of other candidates" in other.text("said")
    assert [row["note"] for row in _exported(other)] == [row["note"] for row in rows]
    other.tab.evaluate("document.activeElement.blur()")
    other.press("z")
    assert other.verdicts() == {}
    other.context.close()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "id,verdict\nid0000,maybe\n"])
def test_a_table_without_verdicts_is_refused(opened, text):
    _take(opened, "import", text)
    assert opened.verdicts() == {}
    assert "table.csv" in opened.text("said")


def test_a_second_reader_gives_cohens_kappa(opened):
    from sklearn.metrics import cohen_kappa_score

    mine = ["candidate"] * 5 + ["rfi"] * 5 + ["noise"] * 6
    theirs = ["candidate"] * 4 + ["rfi"] * 5 + ["noise"] * 4 + ["unsure"] * 3
    opened.press(*[{"candidate": "c", "rfi": "r", "noise": "n"}[verdict] for verdict in mine])
    rows = "".join(f"id{k:04d},{verdict}\n" for k, verdict in enumerate(theirs))
    _take(opened, "second", f"id,verdict\n{rows}")
    assert f"κ {cohen_kappa_score(mine, theirs):.2f}" in opened.text("agreement")
    opened.tab.select_option("#verdict", "apart")
    assert opened.shown() == [f"id{k:04d}" for k, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b]


def test_layers_can_be_switched(opened):
    layer = opened.tab.locator(".card").first.locator(".layer")
    guide = opened.tab.locator(".card").first.locator(".guide")
    assert not layer.is_visible()
    assert guide.is_visible()
    opened.press("e", "g")
    assert layer.is_visible()
    assert not guide.is_visible()
    known = opened.tab.locator(".card").nth(1).locator(".known")
    assert not known.is_visible()
    opened.press("k")
    assert known.inner_text() == "label: needle"


def test_axes_say_megahertz_and_seconds(opened):
    card = opened.tab.locator(".card").nth(1).inner_text()
    assert "kHz above 1401.000000 MHz" in card
    assert "315 s" in card


def test_channels_stand_where_frequencies_are_unknown(browser, tmp_path):
    opened = Opened(browser, page(3, mhz=False).write(tmp_path / "r.html"))
    assert "channel" in opened.tab.locator(".card").first.inner_text()
    assert opened.tab.locator("#same").count() == 0
    opened.context.close()


def test_nothing_is_asked_of_the_network(opened):
    opened.press("c", "e", "x")
    assert [url for url in opened.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_pictures_may_lie_beside_the_page(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("abacad.show.review.MOST_WITHIN", 4)
    path = page(5).write(tmp_path / "many.html")
    assert len(list((tmp_path / "many-files").iterdir())) == 10
    opened = Opened(browser, path)
    opened.tab.wait_for_function("() => document.querySelector('.card img').naturalWidth === 64")
    assert opened.complaints == []
    opened.context.close()


def test_the_reviewer_is_told_what_he_finds_and_invents(browser, tmp_path):
    import dataclasses

    made = candidates(12)
    contents = ["needle"] * 4 + ["empty"] * 3 + [""] * 5
    blind = [dataclasses.replace(one, blind=content) for one, content in zip(made, contents, strict=True)]
    opened = Opened(browser, ReviewPage("Blind", "", LAYOUT, blind).write(tmp_path / "blind.html"))
    assert "id0000" not in opened.tab.locator("#grid").inner_text()  # an id could tell
    assert "log-odds" not in opened.tab.locator("#grid").inner_text()
    opened.press("k")
    assert "simulated" not in opened.tab.locator("#grid").inner_text()
    opened.press("c", "c", "c", "n", "c", "n", "u", "c")
    opened.more()
    opened.tab.click("#reveal")
    found, invented = wilson(3, 4), wilson(1, 3)
    told = opened.text("agreement")
    assert f"found 3 of 4 simulated needles: 75 % [{100 * found.low:.0f}, {100 * found.high:.0f}]" in told
    assert f"1 of 3 windows without a needle: 33 % [{100 * invented.low:.0f}" in told
    opened.press("z", "z", "z", "z", "z")  # what is said later counts no more
    opened.open(tmp_path / "blind.html")
    assert opened.text("agreement") == told
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_serious(browser, written, scheme, width):
    opened = Opened(browser, written, width, scheme)
    opened.press("c", "r", "n", "u", "e", "k")
    opened.more()
    assert opened.serious() == []
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= width
    opened.context.close()


def test_the_keyboard_alone_suffices(opened):
    """Tab reaches every control that is shown."""
    opened.more()
    wanted = opened.tab.evaluate(
        "[...document.querySelectorAll('button, input, select, summary')].filter(one => one.checkVisibility()).length"
    )
    seen = set()
    for _ in range(wanted + 4):
        opened.press("Tab")
        place = "[...document.querySelectorAll('*')].indexOf(document.activeElement)"
        seen.add(opened.tab.evaluate(place))
    assert len(seen) >= wanted


def test_a_stranger_s_text_stays_text(browser, tmp_path):
    import dataclasses

    evil = dataclasses.replace(candidates(1)[0], name="</script><img src=x onerror=alert(1)>")
    opened = Opened(browser, ReviewPage("<i>t</i>", "", LAYOUT, [evil]).write(tmp_path / "evil.html"))
    assert opened.tab.locator("#grid img[src=x]").count() == 0
    assert opened.current() == evil.name
    assert opened.complaints == []
    opened.context.close()


def test_rows_of_a_picture_are_where_the_axis_says(opened):
    top = opened.tab.evaluate("[...document.querySelectorAll('.card .times span')].slice(0, 6).map(s => s.style.top)")
    expected = [100 * one / LAYOUT.height for one in LAYOUT.tops]
    np.testing.assert_allclose([float(one.rstrip("%")) for one in top], expected, atol=0.01)
