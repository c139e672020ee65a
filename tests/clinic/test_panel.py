"""Laboratory panels as schools and clinics print them."""

import pytest

from neurosim.base.errors import NeurosimError
from neurosim.clinic.panel import read_panel
from neurosim.model.body.state import Body


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "panel.csv"
    path.write_bytes(text.encode(encoding))
    return path


ENGLISH = """Patient: A. Pupil,,,,
Test,Result,Units,Reference range,Flag

Serum sodium,131,mEq/L,135-145,L
K+,3.1,mmol/L,3.5-5.0,L
Calcium (total),8.0157,mg/dL,8.8-10.4,L
Albumin,3.0,g/dL,3.5-5.0,L
Magnesium,1.2153,mg/dL,1.7-2.4,L
Glucose,>30,mmol/L,,
Urine potassium,40,mmol/L,,
"""


def test_an_english_panel_with_title_flags_and_other_analytes(tmp_path):
    panel = read_panel(write(tmp_path, ENGLISH))
    # Total calcium 2.00 mmol/L, 10 g/L albumin missing: (2.00 + 0.20) / 2; magnesium 0.5 x 0.65.
    assert panel.body == Body(
        sodium_mmol_l=131,
        potassium_mmol_l=3.1,
        ionised_calcium_mmol_l=1.1,
        ionised_magnesium_mmol_l=0.325,
    )
    assert len(panel.used) == 5 and "line 5, K+" in panel.used[1]
    assert [text.split(":")[0] for text in panel.ignored] == [
        "line 9, Glucose",
        "line 10, Urine potassium",
    ]
    assert "Not used:" in str(panel) and "potassium in plasma" in str(panel)
    assert read_panel(str(tmp_path / "panel.csv")).body == panel.body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_and_excel_encodings(tmp_path, encoding, separator):
    text = "ANALYTE;VALUE;UNIT\r\nKalium;5,6;mmol/l\r\n\r\niCa;0,95;mM\r\nCaffeine;25;µmol/L\r\n"
    body = read_panel(write(tmp_path, text.replace(";", separator), encoding)).body
    assert body == Body(
        potassium_mmol_l=5.6, ionised_calcium_mmol_l=0.95, plasma_caffeine_umol_l=25
    )


def test_a_quoted_decimal_comma_in_a_comma_file(tmp_path):
    assert (
        read_panel(write(tmp_path, 'test,value,unit\nK,"3,0",mmol/L\n')).body.potassium_mmol_l == 3
    )


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("Na+,120,mmol/L", "sodium_mmol_l", 120),
        ("Sodium,120,mmol·L⁻¹", "sodium_mmol_l", 120),
        ("S-Potassium,3,mmol l-1", "potassium_mmol_l", 3),
        ("Ca,2.0,mmol/L", "ionised_calcium_mmol_l", 1.0),
        ("Ca²⁺,1.0,mmol/L", "ionised_calcium_mmol_l", 1.0),
        ("Ca2+,2.2,mmol/L", "ionised_calcium_mmol_l", 1.1),
        ("Ca 2+ (ionised),1.5,mmol/L", "ionised_calcium_mmol_l", 1.5),
        ("Ionized calcium,4.0078,mg/dL", "ionised_calcium_mmol_l", 1.0),
        ("Calcium - free,1.0,mmol/L", "ionised_calcium_mmol_l", 1.0),
        ("Mg,1.0,mmol/L", "ionised_magnesium_mmol_l", 0.65),
        ("Ionised magnesium,0.4,mmol/L", "ionised_magnesium_mmol_l", 0.4),
        ("caffeine,19.419,mg/L", "plasma_caffeine_umol_l", 100),
        ("Caffeine,19.419,μg/mL", "plasma_caffeine_umol_l", 100),
    ],
)
def test_names_and_units_as_printed(tmp_path, line, field, expected):
    body = read_panel(write(tmp_path, f"analyte,value,unit\n{line}\n")).body
    assert body == Body(**{field: getattr(body, field)})
    assert getattr(body, field) == pytest.approx(expected)


GERMAN = """Analyt;Ergebnis;Einheit;Referenz
Natrium i.S.;128;mmol/l;135-145
Kalium i. P.;3,1;mmol/l;3,5-5,0
Calcium ges.;2,00;mmol/l;2,2-2,6
Serum-Albumin;40;g/l;35-52
Gesamtmagnesium;0,6;mmol/l;0,7-1,0
Natrium (Urin);60;mmol/l;
CA 19-9;12;U/ml;
Vitamin K;0,5;µg/l;
Kreatinin;70;µmol/l;
"""


def test_a_german_panel(tmp_path):
    panel = read_panel(write(tmp_path, GERMAN))
    assert panel.body == Body(
        sodium_mmol_l=128,
        potassium_mmol_l=3.1,
        calcium_mmol_l=2.0,
        albumin_g_l=40,
        magnesium_mmol_l=0.6,
    )
    assert len(panel.ignored) == 4


@pytest.mark.parametrize(
    "heads",
    ["Bezeichnung;Messwert;Einheiten", "Analyse;Résultat;Unité", "Parámetro;Valor;Unidades"],
)
def test_headings_in_other_languages(tmp_path, heads):
    assert read_panel(write(tmp_path, f"{heads}\nK;3,0;mmol/L\n")).body.potassium_mmol_l == 3


@pytest.mark.parametrize(
    ("analyte", "value", "field", "expected"),
    [
        ("Natrium (Na+)", 120, "sodium_mmol_l", 120),
        ("Sodio en suero", 120, "sodium_mmol_l", 120),
        ("Potasio sérico", 3, "potassium_mmol_l", 3),
        ("Calcium gesamt", 2.0, "ionised_calcium_mmol_l", 1.0),
        ("Gesamt-Kalzium", 2.0, "ionised_calcium_mmol_l", 1.0),
        ("Calcium (Ca2+)", 2.2, "ionised_calcium_mmol_l", 1.1),
        ("Ionised calcium (iCa)", 1.0, "ionised_calcium_mmol_l", 1.0),
        ("Calcium, ionisiert", 1.0, "ionised_calcium_mmol_l", 1.0),
        ("Calcium ionisé", 1.0, "ionised_calcium_mmol_l", 1.0),
        ("Magnésium sérique", 1.0, "ionised_magnesium_mmol_l", 0.65),
    ],
)
def test_names_in_other_languages(tmp_path, analyte, value, field, expected):
    body = read_panel(write(tmp_path, f"analyte;value;unit\n{analyte};{value};mmol/L\n")).body
    assert getattr(body, field) == pytest.approx(expected)


def test_an_adjusted_calcium_is_passed_over_beside_a_measured_one(tmp_path):
    text = "analyte,value,unit\nAdjusted calcium,2.3,mmol/L\nCalcium,2.0,mmol/L\n"
    panel = read_panel(write(tmp_path, text))
    assert panel.body.ionised_calcium_mmol_l == 1.0 and len(panel.ignored) == 1


def test_a_measured_ionised_value_beats_the_total(tmp_path):
    text = "analyte,value,unit\nCalcium,2.4,mmol/L\nAlbumin,40,g/L\npH,7.5,\niCa,1.0,mmol/L\n"
    panel = read_panel(write(tmp_path, text))
    assert panel.body == Body(ionised_calcium_mmol_l=1.0)
    assert len(panel.ignored) == 3 and "ionised value is used" in panel.ignored[0]


def test_ph_corrects_a_total(tmp_path):
    text = "analyte,value,unit\nCalcium,2.4,mmol/L\nVenous pH,7.6,pH\n"
    assert read_panel(write(tmp_path, text)).body.ionised_calcium_mmol_l == pytest.approx(1.11)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("K,<3.0,mmol/L", "line 2: the value of K must be a number, not '<3.0'"),
        ("Na,140,mmol/L\nK,hemolyzed,mmol/L", "line 3: the value of K must be a number"),
        ("K,nan,mmol/L", "line 2: the value of K must be a number"),
        ("K,,mmol/L", "line 2: the value of K must be a number"),
        ("K,4.2,stone", "line 2: unknown unit 'stone' for K; allowed are mmol/L, mEq/L, mg/dL"),
        ("K,4,2,mmol/L", "unknown unit '2' for K; .*put it in quotes"),
        ("Albumin,40,mmol/L", "allowed are g/dL, g/L"),
        ("pH,7.4,mmol/L", "unknown unit 'mmol/L' for pH; it has none"),
        ("K,4.2,mmol/L\nPotassium,4.3,mmol/L", r"line 3: Potassium stands there twice \(line 2"),
        ("Ca2+,1.7,mmol/L", "line 2: Ca2.* may be total or ionised"),
        ("Na,140,mmol/L\nK,42,mmol/L", "line 3, K: .*potassium_mmol_l = 42"),
        ("Na,140,mmol/L\nCa,9.6,mmol/L", "line 3, Ca: .*write calcium_mg_dl=9.6"),
        ("Ca,2.4,mmol/L\nAlbumin,4.2,g/L", "line 3, Albumin: .*write albumin_g_dl=4.2"),
        ("Potasium,4.2,mmol/L", "line 2: unknown analyte 'Potasium': did you mean 'potassium'"),
        (
            "Na,140,mmol/L\nKalium (alt),4,mmol/L",
            "line 3: 'Kalium .alt.' names potassium, but 'alt'",
        ),
        ("Ca i,1.1,mmol/L", "line 2: 'Ca i' names calcium, but 'i' with it is not understood"),
        ("Sodium total,140,mmol/L", "line 2: .*'total' with it is not understood"),
        ("Na,140,mmol/L\nCalcium (adjusted),2,mmol/L", "line 3: an adjusted calcium alone"),
        (",4.2,mmol/L", "line 2: the value 4.2 has no analyte"),
        ("Glucose,5,mmol/L", "no analyte that the model uses"),
        ("", "no analyte that the model uses"),
    ],
)
def test_mistakes_name_the_line(tmp_path, lines, words):
    with pytest.raises(NeurosimError, match=words):
        read_panel(write(tmp_path, f"analyte,value,unit\n{lines}\n"))


def test_a_sheet_without_the_columns(tmp_path):
    with pytest.raises(NeurosimError, match="has no column unit: its first line must name"):
        read_panel(write(tmp_path, "analyte,value\nK,4\n"))
    with pytest.raises(NeurosimError, match="has no column analyte, value, unit"):
        read_panel(write(tmp_path, ""))


def test_what_is_no_readable_text(tmp_path):
    with pytest.raises(NeurosimError, match="Cannot read .*nowhere.csv: No such file"):
        read_panel(tmp_path / "nowhere.csv")
    with pytest.raises(NeurosimError, match="Cannot read"):
        read_panel(tmp_path)
    for nonsense in (None, 5, [], "a\0b"):
        with pytest.raises(NeurosimError, match="Cannot read"):
            read_panel(nonsense)  # type: ignore[arg-type]
    binary = tmp_path / "sheet.xlsx"
    binary.write_bytes(b"PK\x03\x04\0\0")
    with pytest.raises(NeurosimError, match="not a text file"):
        read_panel(binary)
