"""A llama of random weights in llama.cpp's own file format: it reads any text, and what it says means nothing.

The server's grammar alone holds it to JSON. Pure chance would never choose a skill of the bank, and would put a control
character into every answer; so what ends a text well is a little likelier than the rest, and those never come.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from gguf import GGUFWriter, TokenType

# One head: with four, a prompt is read five times as slowly.
CONTEXT, WIDTH, HIDDEN, HEADS, LAYERS = 16_384, 32, 64, 1, 1
TEMPLATE = "{% for each in messages %}{{ each.role }}: {{ each.content }}\n{% endfor %}assistant: "
NEVER = -100.0


class Token(NamedTuple):
    text: str
    kind: TokenType = TokenType.NORMAL
    logit: float = 0.0


def write_model(path: Path, skills: list[str], *, endless: bool = False) -> None:
    tokens = [*_marks(), *_bytes(), *_characters(endless), *([] if endless else _endings(skills))]
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_tokens(writer, tokens)
    for name, tensor in _tensors(np.array([each.logit for each in tokens])):
        writer.add_tensor(f"{name}.weight", tensor.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _marks() -> Iterator[Token]:
    yield Token("<unk>", TokenType.UNKNOWN, NEVER)
    yield Token("<s>", TokenType.CONTROL, NEVER)
    yield Token("</s>", TokenType.CONTROL)


def _bytes() -> Iterator[Token]:
    for byte in range(256):
        yield Token(f"<0x{byte:02X}>", TokenType.BYTE, NEVER if byte < 0x80 else -0.5)


def _characters(endless: bool) -> Iterator[Token]:
    for character in ("▁", *map(chr, range(0x21, 0x7F))):
        yield Token(character, logit=NEVER if endless and character == '"' else 0.0)


def _endings(skills: list[str]) -> Iterator[Token]:
    for name in skills:
        yield Token(f'{name}"', logit=0.5)
        yield Token(f'"{name}"', logit=-2.0)
    for change in (-10, -5, 0, 5, 10):
        yield Token(f"{change}}}", logit=0.5)


def _add_tokens(writer: GGUFWriter, tokens: list[Token]) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_token_list([each.text for each in tokens])
    writer.add_token_types([each.kind for each in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)


def _tensors(logits: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    chance = np.random.default_rng(0)

    def random(rows: int, columns: int) -> np.ndarray:
        return chance.standard_normal((rows, columns)) / np.sqrt(columns)

    embedding, output = random(len(logits), WIDTH) * np.sqrt(WIDTH), random(len(logits), WIDTH)
    attended, fed = random(WIDTH, WIDTH), random(WIDTH, HIDDEN)
    # The first channel is the same for every token and nothing is added to it on the way, so it can carry the logits;
    # the norm before the output leaves it at about 4.
    embedding[:, 0], output[:, 0], attended[0], fed[0] = np.sqrt(WIDTH), logits / 4, 0, 0
    yield from {"token_embd": embedding, "output": output, "blk.0.attn_output": attended, "blk.0.ffn_down": fed}.items()
    for name in ("attn_q", "attn_k", "attn_v"):
        yield f"blk.0.{name}", random(WIDTH, WIDTH)
    for name in ("ffn_gate", "ffn_up"):
        yield f"blk.0.{name}", random(HIDDEN, WIDTH)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        yield name, np.ones(WIDTH)
