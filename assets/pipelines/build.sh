#!/bin/sh
# From two trainings to the wheel in this folder, its card and its checksum.
#
#   sh assets/pipelines/build.sh MODEL TUNED TERMS
#
# MODEL has learned from training and development documents, TUNED from the training documents alone
# by the same settings: confidences and thresholds come from what it does on the others. TERMS gives
# identifiers to what is found. `made-by.txt` has the commands that made the three.
set -e
MODEL=$1
TUNED=$2
TERMS=$3
VERSION=${VERSION:-0.3.0}
WORK=${WORK:-training/multi-shipped}
SHIPPED=assets/pipelines
for file in "$MODEL/config.cfg" "$TUNED/config.cfg" "$TERMS"; do
  test -f "$file" || { echo "usage: sh $0 MODEL TUNED TERMS ($file is not there)" >&2; exit 2; }
done

# All documents of a folder in one file, or those of a file where there is no such folder.
merge() {
  if test -d "$2"; then from="$2"/*.spacy; else from=$3; fi
  # shellcheck disable=SC2086
  python -c 'import sys; from spacy.tokens import DocBin
first, *others = [DocBin(store_user_data=True).from_disk(path) for path in sys.argv[2:]]
[first.merge(other) for other in others]
first.to_disk(sys.argv[1])' "$1" $from
}

mkdir -p "$WORK"
# The table raises confidences, so they are fitted behind it. Of the three corpora with genes, one has
# development documents: a threshold that is right there is not for the others.
bioner assemble "$TUNED" "$WORK/tuned" --config configs/shipped.cfg --terms "$TERMS"
bioner calibrate "$WORK/tuned" config "$WORK/calibrated" --except Gene --report "$WORK/calibrated.json"
bioner assemble "$MODEL" "$WORK/assembled" --config configs/shipped.cfg --terms "$TERMS" \
  --calibration "$WORK/calibrated.json"
bioner export "$WORK/assembled" "$WORK/exported"

set --
for part in "ncbi_disease Disease" "bc5cdr Chemical Disease" \
    "biored CellLine Chemical Disease Gene Species Variant" "gnormplus Gene" "nlm_gene Gene"; do
  corpus=${part%% *}
  labels=""
  for label in ${part#* }; do labels="$labels --label $label"; done
  merge "$WORK/$corpus-learned.spacy" "corpus/$corpus/all" "corpus/$corpus/train.spacy"
  # shellcheck disable=SC2086
  bioner evaluate "$WORK/exported" "corpus/$corpus/test.spacy" --rules "$corpus" $labels \
    --train "$WORK/$corpus-learned.spacy" --output "$WORK/$corpus.json"
  set -- "$@" --metrics "$WORK/$corpus.json" --corpus "corpus/$corpus/corpus.json"
done

rm -rf "$WORK/packages"
bioner package "$WORK/exported" "$WORK/packages" --name bioner_multi --version "$VERSION" \
  --profile multi_all --licence MIT --made-by "$SHIPPED/made-by.txt" "$@" \
  --verify-on corpus/ncbi_disease/test.spacy --label Disease --rules ncbi_disease
rm -f "$SHIPPED"/en_bioner_multi-*.whl
cp "$WORK/packages/en_bioner_multi-$VERSION/dist/"en_bioner_multi-*.whl "$SHIPPED/"
cp "$WORK/packages/en_bioner_multi-$VERSION/README.md" "$SHIPPED/en_bioner_multi.md"
python docs/build_picture.py "$WORK/exported" assets/demo/sample.txt docs/entities.svg
cd "$SHIPPED"
sha256sum en_bioner_multi-*.whl > sha256.txt
cat sha256.txt
