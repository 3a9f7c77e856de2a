"""Text of ordinary English words, none of which is a secret: what tools say that say much. The same at each run. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_WORDS = """
account after again agreed amount answer approved archive arrived asked author because before begins below between board branch brought
budget building called cannot carried center change chapter checked city closed coast committee company complete content copy corner
count customer database day decided delivered department describes design desk detail different document door draft early east edge
eleven engine enough evening event every expected explains factory family farmer field figure file final first floor follows found
friday garden gave general given ground group harbor have heading height history hour house however idea important index inside
invoice island item january journey kept kitchen known label large later leader learned letter level library line list little local
machine maintained manager many market material matter measure meeting member message method middle minute model monday month morning
mountain moved music named near never north notes nothing number office often older only opened order other outside page paper part
people person picture place planned plant platform point policy possible prepared present price printed problem process product
project question quick quiet reached reader ready reason received record reduced region release remains renewed repair report request
result returned review river road room running schedule school season second section sent series service seven several shipped
shown signed simple sister small software south special spring staff started state station still stone storage street student study
subject summer supply table taken team technical tested third thousand ticket together topic toward town track travel tuesday twelve
under until update used useful usually valley value version village visit volume waited wall warehouse water weather week west
window winter without worked writes written year yesterday young
""".split()


def prose(size: int) -> str:
    """So many characters of sentences, with numbers among them and a new line now and then."""
    draw = Random(size)
    text = ""
    pieces: list[str] = []
    written = 0
    for sentence in _sentences(draw):
        pieces.append(sentence)
        written += len(sentence)
        if written >= size:
            text = "".join(pieces)[: size - 1]
            break
    return f"{text}."


def _sentences(draw: Random) -> Iterator[str]:
    while True:
        words = draw.choices(_WORDS, k=draw.randint(6, 18))
        if draw.random() < 0.3:
            words[draw.randrange(len(words))] = str(draw.randint(2, 999))
        end = "\n" if draw.random() < 0.15 else " "
        yield f"{' '.join(words).capitalize()}{draw.choice(('.', '.', '.', '?', ';'))}{end}"
