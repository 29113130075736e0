from spacy_bioner.evaluation.scores import Counts, Scores
from spacy_bioner.reports.scores import merge_equal, render_scores


def test_render_scores_aligns_numbers_under_their_heads():
    scores = Scores(
        by_type={"Disease": Counts(2, 1, 1), "Chemical": Counts(1200, 34, 50)}, n_docs=12
    )
    assert render_scores(scores, title="Full pipeline").splitlines() == [
        "Full pipeline · strict match of offsets and label · 12 documents",
        "",
        "  type        gold  predicted     tp  fp  fn  precision  recall     F1",
        "  ─────────  ─────  ─────────  ─────  ──  ──  ─────────  ──────  ─────",
        "  Chemical   1,250      1,234  1,200  34  50      97.24   96.00  96.62",
        "  Disease        3          3      2   1   1      66.67   66.67  66.67",
        "  ─────────  ─────  ─────────  ─────  ──  ──  ─────────  ──────  ─────",
        "  all types  1,253      1,237  1,202  35  51      97.17   95.93  96.55",
    ]


def test_render_scores_writes_a_dash_for_an_empty_denominator():
    table = render_scores(Scores(by_type={"Gene": Counts(fn=2)}, n_docs=1))
    assert table.splitlines()[4].split() == ["Gene", "2", "0", "0", "0", "2", "–", "0.00", "0.00"]


def test_render_scores_without_any_type_has_a_total_only():
    assert render_scores(Scores()).splitlines()[-1].split()[2:] == ["0"] * 5 + ["–"] * 3


def test_render_scores_explains_what_the_figures_hide():
    scores = Scores(
        by_type={"Disease": Counts(5, 0, 3), "Gene": Counts(fn=2), "Drug": Counts(fp=1)},
        n_docs=3,
        n_unannotated=1,
        n_duplicates=2,
        n_unreachable=1,
        labels_unknown_to_model=("Gene",),
        labels_unknown_to_gold=("Drug",),
    )
    assert render_scores(scores).splitlines()[-5:] == [
        "  * 1 gold mention of 10 cannot be found without overlapping entities: "
        "recall is at most 90.00",
        "  * 2 gold mentions with the offsets and label of another one left out",
        "  * 1 document without annotation left out",
        "  * Gene is unknown to the model: 2 gold mentions missed",
        "  * Drug never occurs in gold: 1 prediction counted wrong",
    ]


def test_merge_equal_joins_the_titles_of_equal_scores():
    left, right = Scores(by_type={"Gene": Counts(1)}), Scores(by_type={"Gene": Counts(2)})
    assert merge_equal({"a": left, "b": left, "c": right}) == {"a = b": left, "c": right}
