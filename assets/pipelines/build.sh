#!/bin/sh
# From a training of the profile `multi` to the wheel in this folder, its card and its checksum.
#
#   bioner train corpus/bc5cdr training/multi --profile multi --seed 0
#   sh assets/pipelines/build.sh training/multi/model-best
#
# The five corpora are in corpus/, prepared by `bioner prepare corpus/NAME --profile multi --corpus NAME`
# (docs/training.md). Confidences, thresholds and int8 scales come from their development documents.
set -e
MODEL=$1
VERSION=${VERSION:-0.1.0}
WORK=${WORK:-training/multi-shipped}
SHIPPED=assets/pipelines
test -f "$MODEL/config.cfg" || { echo "usage: sh $0 MODEL (a folder of \`bioner train --profile multi\`)" >&2; exit 2; }

mkdir -p "$WORK"
bioner calibrate "$MODEL" config "$WORK/calibrated" --report "$WORK/calibrated.json"
bioner assemble "$WORK/calibrated" "$WORK/assembled" --config configs/shipped.cfg
bioner export "$WORK/assembled" "$WORK/exported"

set --
for part in "ncbi_disease Disease" "bc5cdr Chemical Disease" \
    "biored CellLine Chemical Disease Gene Species Variant" "gnormplus Gene" "nlm_gene Gene"; do
  corpus=${part%% *}
  labels=""
  for label in ${part#* }; do labels="$labels --label $label"; done
  # shellcheck disable=SC2086
  bioner evaluate "$WORK/exported" "corpus/$corpus/test.spacy" --rules "$corpus" $labels \
    --output "$WORK/$corpus.json"
  set -- "$@" --metrics "$WORK/$corpus.json" --corpus "corpus/$corpus/corpus.json"
done

rm -rf "$WORK/packages"
bioner package "$WORK/exported" "$WORK/packages" --name bioner_multi --version "$VERSION" \
  --profile multi --licence MIT "$@" \
  --verify-on corpus/ncbi_disease/test.spacy --label Disease --rules ncbi_disease
rm -f "$SHIPPED"/en_bioner_multi-*.whl
cp "$WORK/packages/en_bioner_multi-$VERSION/dist/"en_bioner_multi-*.whl "$SHIPPED/"
cp "$WORK/packages/en_bioner_multi-$VERSION/README.md" "$SHIPPED/en_bioner_multi.md"
cd "$SHIPPED"
sha256sum en_bioner_multi-*.whl > sha256.txt
cat sha256.txt
