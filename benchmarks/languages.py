"""Which texts look like another language to an encoder: unknown pieces, single letters, pieces.

    python benchmarks/languages.py MODEL [--data FOLDER] [--texts 150] [--seed 0]

English: the training documents of corpora, lines of the texts, and sentences of these. Others: the
same two sentences in many languages, below, once and five times over. Prints one Markdown table:
the greatest share of odd pieces, the most pieces a word, and how many texts count as foreign.
"""

import argparse
import lzma
import random
from itertools import islice
from typing import Dict, List, Sequence

import numpy as np
import spacy
from _common import add_data, show
from spacy.language import Language

from spacy_bioner import read_corpus
from spacy_bioner.architectures.pieces.alignment import Pieces
from spacy_bioner.architectures.pieces.control_pieces import find_unknown
from spacy_bioner.architectures.pieces.counts import PieceCounts, count_pieces
from spacy_bioner.architectures.pieces.words import find_words

CORPORA = ("bc5cdr", "ncbi_disease", "biored")
LONGEST = 2_500
TEXTS: Dict[str, str] = {
    "German": (
        "Bei Patienten mit Bluthochdruck und chronischer Niereninsuffizienz wurde nach der Gabe"
        " von Trimethoprim ein Anstieg des Kaliums im Serum beobachtet. Die Behandlung musste "
        "in zwei Fällen abgebrochen werden, weil Herzrhythmusstörungen auftraten."
    ),
    "French": (
        "Chez les patients atteints d'hypertension artérielle et d'insuffisance rénale "
        "chronique, une augmentation du potassium sérique a été observée après l'administration"
        " de triméthoprime. Le traitement a dû être interrompu dans deux cas à cause de "
        "troubles du rythme cardiaque."
    ),
    "Spanish": (
        "En pacientes con hipertensión arterial e insuficiencia renal crónica se observó un "
        "aumento del potasio sérico después de la administración de trimetoprima. El "
        "tratamiento tuvo que interrumpirse en dos casos por trastornos del ritmo cardíaco."
    ),
    "Italian": (
        "Nei pazienti con ipertensione arteriosa e insufficienza renale cronica è stato "
        "osservato un aumento del potassio nel siero dopo la somministrazione di trimetoprim. "
        "In due casi la cura è stata sospesa per disturbi del ritmo cardiaco."
    ),
    "Portuguese": (
        "Em doentes com hipertensão arterial e insuficiência renal crónica observou-se um "
        "aumento do potássio sérico após a administração de trimetoprim. O tratamento foi "
        "suspenso em dois casos devido a perturbações do ritmo cardíaco."
    ),
    "Dutch": (
        "Bij patiënten met hoge bloeddruk en chronische nierschade werd na toediening van "
        "trimethoprim een stijging van het kalium in het bloed gezien. De behandeling moest in "
        "twee gevallen worden gestaakt vanwege hartritmestoornissen."
    ),
    "Swedish": (
        "Hos patienter med högt blodtryck och kronisk njursvikt sågs en ökning av kalium i "
        "blodet efter behandling med trimetoprim. I två fall fick behandlingen avbrytas på "
        "grund av rubbningar i hjärtrytmen."
    ),
    "Polish": (
        "U pacjentów z nadciśnieniem tętniczym i przewlekłą niewydolnością nerek po podaniu "
        "trimetoprimu zaobserwowano wzrost stężenia potasu w surowicy. W dwóch przypadkach "
        "leczenie trzeba było przerwać z powodu zaburzeń rytmu serca."
    ),
    "Czech": (
        "U pacientů s vysokým krevním tlakem a chronickým onemocněním ledvin byl po podání "
        "trimetoprimu pozorován vzestup draslíku v séru. Ve dvou případech musela být léčba "
        "přerušena pro poruchy srdečního rytmu."
    ),
    "Hungarian": (
        "Magas vérnyomásban és krónikus veseelégtelenségben szenvedő betegeknél a trimetoprim "
        "adása után a szérum káliumszintjének emelkedését figyelték meg. Két esetben a kezelést"
        " szívritmuszavarok miatt meg kellett szakítani."
    ),
    "Finnish": (
        "Verenpainetautia ja kroonista munuaisten vajaatoimintaa sairastavilla potilailla "
        "havaittiin seerumin kaliumin nousu trimetopriimin annon jälkeen. Kahdessa tapauksessa "
        "hoito piti keskeyttää sydämen rytmihäiriöiden vuoksi."
    ),
    "Turkish": (
        "Yüksek tansiyonu ve kronik böbrek yetmezliği olan hastalarda trimetoprim verildikten "
        "sonra serum potasyumunda artış görüldü. İki olguda kalp ritim bozuklukları nedeniyle "
        "tedavi kesilmek zorunda kalındı."
    ),
    "Vietnamese": (
        "Ở bệnh nhân tăng huyết áp và suy thận mạn, nồng độ kali trong huyết thanh tăng lên sau"
        " khi dùng trimethoprim. Trong hai trường hợp, việc điều trị phải ngừng lại vì rối loạn"
        " nhịp tim."
    ),
    "Russian": (
        "У больных с артериальной гипертонией и хронической почечной недостаточностью после "
        "приёма триметоприма наблюдалось повышение уровня калия в сыворотке крови. В двух "
        "случаях лечение пришлось прекратить из-за нарушений сердечного ритма."
    ),
    "Ukrainian": (
        "У хворих на артеріальну гіпертензію та хронічну ниркову недостатність після прийому "
        "триметоприму спостерігали підвищення рівня калію в сироватці крові. У двох випадках "
        "лікування довелося припинити через порушення серцевого ритму."
    ),
    "Greek": (
        "Σε ασθενείς με υπέρταση και χρόνια νεφρική ανεπάρκεια παρατηρήθηκε αύξηση του καλίου "
        "στον ορό μετά τη χορήγηση τριμεθοπρίμης. Σε δύο περιπτώσεις η θεραπεία διακόπηκε λόγω "
        "διαταραχών του καρδιακού ρυθμού."
    ),
    "Arabic": (
        "لوحظ لدى المرضى المصابين بارتفاع ضغط الدم والقصور الكلوي المزمن ارتفاع في مستوى "
        "البوتاسيوم في الدم بعد إعطاء الدواء. وكان لا بد من إيقاف العلاج في حالتين بسبب اضطراب "
        "نظم القلب."
    ),
    "Hebrew": (
        "בחולים עם יתר לחץ דם ואי ספיקת כליות כרונית נצפתה עלייה ברמת האשלגן בדם לאחר מתן "
        "התרופה. בשני מקרים היה צורך להפסיק את הטיפול בגלל הפרעות בקצב הלב."
    ),
    "Hindi": (
        "उच्च रक्तचाप और गुर्दे की पुरानी बीमारी वाले रोगियों में दवा देने के बाद रक्त में "
        "पोटैशियम का स्तर बढ़ गया। दो रोगियों में हृदय की धड़कन बिगड़ने के कारण इलाज रोकना "
        "पड़ा।"
    ),
    "Chinese": (
        "在患有高血压和慢性肾功能不全的病人中，服药后观察到血清钾升高。有两例因心"
        "律失常而不得不停止治疗。"
    ),
    "Japanese": (
        "高血圧と慢性腎不全の患者では、薬の投与後に血清カリウムの上昇がみられた。"
        "二例では不整脈のため治療を中止しなければならなかった。"
    ),
    "Korean": (
        "고혈압과 만성 신부전이 있는 환자에서 약을 투여한 뒤 혈청 칼륨이"
        " 올라가는 것이 관찰되었다. 두 명은 심장 리듬 장애 때문에 치료"
        "를 중단해야 했다."
    ),
    "Thai": (
        "ในผู้ป่วยความดันโลหิตสูงและไตวายเรื้"
        "อรังพบว่าระดับโพแทสเซียมในเลือดสูงขึ"
        "้นหลังได้รับยา มีสองรายที่ต้องหยุดกา"
        "รรักษาเพราะหัวใจเต้นผิดจังหวะ"
    ),
    "Latin": (
        "In aegris pressione sanguinis alta et morbo renum longo laborantibus post medicamentum"
        " datum kalium in sero auctum est. In duobus casibus curatio propter cordis "
        "perturbationes omissa est."
    ),
    "Indonesian": (
        "Pada pasien dengan tekanan darah tinggi dan gagal ginjal kronis terlihat kenaikan "
        "kadar kalium dalam serum setelah pemberian trimetoprim. Pada dua kasus pengobatan "
        "harus dihentikan karena gangguan irama jantung."
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a pipeline folder or package")
    add_data(parser)
    parser.add_argument("--texts", type=int, default=150, help="of each source")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    nlp = spacy.load(args.model)
    generator = random.Random(args.seed)
    rows = [("texts", "n", "odd pieces, at most", "pieces a word, at most", "foreign")]
    for corpus in CORPORA:
        path = args.data / f"corpora/{corpus}/train.pubtator.txt"
        records = islice(read_corpus(path), args.texts)
        rows.append(describe(nlp, corpus, [record.text for record in records]))
    for path in sorted((args.data / "text").glob("*.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            lines = [line.strip()[:LONGEST] for line in islice(file, 20 * args.texts)]
        lines = generator.sample(lines, min(args.texts, len(lines)))
        name = path.name.removesuffix(".txt.xz")
        rows.append(describe(nlp, name, lines))
        sentences = [part for line in lines for part in line.split(". ") if len(part) > 40]
        sentences = generator.sample(sentences, min(4 * args.texts, len(sentences)))
        rows.append(describe(nlp, f"{name}, sentences", sentences))
    for name, text in TEXTS.items():
        rows.append(describe(nlp, name, [text]))
        rows.append(describe(nlp, f"{name}, five times", [" ".join([text] * 5)]))
    show(rows, left=1, n=f"seed {args.seed}")


def describe(nlp: Language, name: str, texts: Sequence[str]) -> Sequence[str]:
    """Make the row of some texts; those of less than 20 characters are left out."""
    found: List[PieceCounts] = [count(nlp, text) for text in texts if len(text) >= 20]
    odd = max(item.odd / max(item.pieces, 1) for item in found)
    pieces = max(item.pieces / max(item.words, 1) for item in found)
    n_foreign = sum(item.is_foreign for item in found)
    return (name, f"{len(found):,}", f"{100 * odd:.1f} %", f"{pieces:.2f}", str(n_foreign))


def count(nlp: Language, text: str) -> PieceCounts:
    """Count the pieces of a text as a pipeline's encoder would read it, without running it."""
    nodes = [
        node for _, pipe in nlp.pipeline if hasattr(pipe, "model") for node in pipe.model.walk()
    ]
    shim = next(shim for node in nodes for shim in node.shims if hasattr(shim, "reader"))
    words = find_words(nlp.make_doc(text))
    encoding = shim.reader.encode(words.text, add_special_tokens=False)
    offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    pieces = Pieces(np.asarray(encoding.ids, dtype=np.int64), offsets[:, 0], offsets[:, 1])
    return count_pieces(pieces, words, find_unknown(shim.tokenizer), windows=1)


if __name__ == "__main__":
    main()
