"""Kafka in and out while everything that takes part is killed once: nothing is lost, nothing counts twice."""

import shutil
from pathlib import Path

import pytest
from kafka_killing import run


@pytest.mark.skipif(shutil.which("java") is None or shutil.which("mvn") is None, reason="Kafka needs them")
def test_each_action_has_one_effect_and_each_event_is_published(tmp_path: Path) -> None:
    done = run(5_000, 1, 0.01, tmp_path)
    assert (done["kills"], done["actions"]) == (4, 5_000)
    assert done["rubbish"] > 20
