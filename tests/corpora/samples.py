"""Hand-written values in the forms of published corpora."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def esconv(
    seeker: str = "seeker", supporter: str = "supporter", said: str = "They changed the rota."
) -> dict[str, Any]:
    return {
        "emotion_type": "anger",
        "problem_type": "job crisis",
        "situation": "The rota changed again.",
        "survey_score": {"seeker": {"initial_emotion_intensity": "4", "final_emotion_intensity": "2"}, "supporter": {}},
        "dialog": [
            {"speaker": seeker, "annotation": {}, "content": f"{said}\n"},
            {"speaker": supporter, "annotation": {"strategy": "Question"}, "content": "Since when?"},
            {
                "speaker": supporter,
                "annotation": {"strategy": "Providing Suggestions or Information"},
                "content": "There is a form for that.",
            },
            {"speaker": seeker, "annotation": {"feedback": "4"}, "content": "Is there?"},
        ],
    }


def extes() -> dict[str, Any]:
    return {
        "scene": "Breakups or Divorce",
        "description": "A person whose boat was sold in the divorce.",
        "content": [
            {"User": "He sold the boat."},
            {"AI": "You had plans for it.", "AI Strategy": "Reflective Statements"},
            {"AI": "Whose name was on it?", "AI Strategy": "Clarification"},
            {"User": "Both."},
        ],
    }


def openai(said: str = "He sold the boat.") -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": said},
            {"role": "assistant", "content": "You had plans for it."},
        ]
    }


def sharegpt() -> dict[str, Any]:
    return {
        "id": "boat_0",
        "conversations": [
            {"from": "human", "value": "He sold the boat."},
            {"from": "gpt", "value": "You had plans for it."},
        ],
    }


def sage(**changes: Any) -> dict[str, Any]:
    return {
        "id": "made-up",
        "emo_point": 45,
        "emo_state": "Emotion-B",
        "character": "被动型",
        "scene": "排班又变了，周末没有了。",
        "topic": "工作压力与平衡-排班",
        "task": "你希望对方用心倾听你的情绪宣泄",
        "history": [
            {"role": "user", "content": "排班又变了。", "emotion-point": 40},
            {"role": "assistant", "content": "周末没有了，很失望吧？"},
            {
                "role": "user",
                "content": "对，谢谢。",
                "emotion-point": 45,
                "planning": {"change": 5, "analyse": "被听见了"},
            },
        ],
        **changes,
    }


ANNOMI_COLUMNS = (
    "transcript_id",
    "mi_quality",
    "video_title",
    "video_url",
    "topic",
    "utterance_id",
    "interlocutor",
    "timestamp",
    "utterance_text",
    "main_therapist_behaviour",
    "client_talk_type",
)


def annomi(name: str = "0", *, topic: str = "reducing alcohol consumption", quality: str = "high") -> list[list[str]]:
    said = [
        ("therapist", "How was the week?", "question", "n/a"),
        ("client", "I had two beers, and want fewer.", "n/a", "change"),
        ("therapist", "Two, and that felt like many.", "reflection", "n/a"),
        ("client", "Well.", "n/a", "neutral"),
    ]
    return [
        [name, quality, "Made up", "https://example.invalid/", topic, str(at), who, "00:00:01", text, label, talk]
        for at, (who, text, label, talk) in enumerate(said)
    ]


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([list(columns), *map(list, rows)])
    return file.getvalue()


def write_list(path: Path, *values: Any) -> Path:
    path.write_text(json.dumps(list(values), ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def write_lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path
