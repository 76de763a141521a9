import pytest

from engine.typed_numbers import AmbiguousNumberError, plain, read_float, read_whole, short


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.0002", 2e-4),
        ("0,0002", 2e-4),
        ("2e-4", 2e-4),
        ("1,5E-4", 1.5e-4),
        (",5", 0.5),
        ("5.", 5.0),
        ("0,125", 0.125),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1.000.000", 1e6),
        ("1 000", 1000.0),
        ("1\u202f000", 1000.0),
        ("\u22123", -3.0),
    ],
)
def test_comma_and_point_both_make_a_fraction(text, value):
    assert read_float(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512", 512),
        ("1,024", 1024),
        ("131 072", 131_072),
        ("1.000.000", 10**6),
        ("16.0", 16),
        ("16,0", 16),
        ("1e3", 1000),
    ],
)
def test_whole_numbers_may_have_groups(text, value):
    assert read_whole(text) == value


@pytest.mark.parametrize(("read", "text"), [(read_float, "1,000"), (read_float, "12,345"), (read_whole, "1.000")])
def test_what_may_be_two_numbers_is_refused_and_both_are_named(read, text):
    with pytest.raises(AmbiguousNumberError, match=r"may be \d+\.\d{3} and may be \d{4,}"):
        read(text)


@pytest.mark.parametrize("text", ["", " ", "many", "1,2,3", "1.5.2", "1,2.3", "- 3", "nan", "inf", "1_000", "²"])
def test_what_is_no_number_is_refused(text):
    for read in (read_float, read_whole):
        with pytest.raises(ValueError, match="is no number"):
            read(text)


@pytest.mark.parametrize("text", ["1.5", "0,002", "1,234.5", "2e-4"])
def test_a_fraction_is_no_whole_number(text):
    with pytest.raises(ValueError, match="no whole number"):
        read_whole(text)


def test_a_number_is_written_without_an_exponent_and_read_back():
    assert plain(1e-7) == "0.0000001"
    assert plain(1_000_000.0) == "1,000,000"
    assert plain(131_072, groups=False) == "131072"
    assert plain(float("nan")) == "nan"
    for value in (2e-4, 1e-7, 0.05, 3.0, 1234.5):
        assert read_float(plain(value, groups=False)) == value


@pytest.mark.parametrize(
    ("value", "said"), [(3e-4 / 5, "0.00006"), (2e-4, "0.0002"), (0.001, "0.001"), (1e-7, "0.0000001")]
)
def test_a_rate_is_said_without_an_exponent_and_by_two_digits(value, said):
    assert short(value) == said
