"""A small recipe, as the tests change it."""

from spacy_bioner.apps.recipes.plan import (
    Choices,
)

STAND_IN = Choices(from_hub=True)
ABOUT = {key: f"some {key}" for key in ("title", "paper", "did", "data", "not_comparable")}
SMALL = {
    **ABOUT,
    "stand_in": "small files",
    "corpus": "${out}/make/words.csv",
    "settings": {"steps": 50, "encoder": "tiny", "shares": "80/20"},
    "steps": [
        {
            "name": "make",
            "title": "makes the stand-in",
            "when": "stand-in",
            "run": "bioner convert demo.txt ${here}/words.csv",
            "outputs": ["words.csv"],
        },
        {
            "name": "split",
            "title": "divides it",
            "run": "bioner split ${corpus} ${here}/parts --ratio ${shares}",
            "outputs": ["parts"],
        },
        {
            "name": "other",
            "title": "uses neither",
            "run": "bioner convert a.txt ${here}/b.csv --label-map '${encoder} ${steps}'",
            "outputs": ["b.csv"],
        },
        {
            "name": "train",
            "title": "learns from the parts",
            "run": "bioner train ${out}/split/parts ${here}/model --training.eval_frequency "
            "${eval_every} --warm ${short}",
            "outputs": ["model"],
        },
        {
            "name": "more",
            "title": "is for the hub",
            "when": "hub",
            "run": "bioner compare ${out}/split/parts ${here}",
        },
    ],
}
