"""Text as numbers: pairs of texts, their pieces, batches by tokens, and a report of what was left out.

SentencePairs      sources and targets, from two files, a TSV, a table, or lists
read_pairs         any of these as SentencePairs
build_pieces       a vocabulary of subwords, characters or symbols, learned from the training part
EncodedPairs       pairs as piece numbers, with a TextReport of what was dropped, truncated or unknown
token_batches      batches of about as many tokens each, of pairs of like length
"""

from recurra.data.text.batches import token_batches
from recurra.data.text.encoding import EncodedPairs, TextReport, encode_pairs
from recurra.data.text.lines import decode_line, read_lines
from recurra.data.text.pairs import SentencePairs, read_pairs
from recurra.data.text.pieces import PieceOptions, Pieces, build_pieces, pieces_from_saved, words_of
from recurra.data.text.subwords import SubwordPieces
from recurra.data.text.symbols import SymbolPieces

__all__ = [
    "EncodedPairs",
    "PieceOptions",
    "Pieces",
    "SentencePairs",
    "SubwordPieces",
    "SymbolPieces",
    "TextReport",
    "build_pieces",
    "decode_line",
    "encode_pairs",
    "pieces_from_saved",
    "read_lines",
    "read_pairs",
    "token_batches",
    "words_of",
]
