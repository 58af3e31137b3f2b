"""SIGTERM and Ctrl-C end a worker after what it is at; a second one ends it at once."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from adapters.cli.stopping import stopping

WORKER = textwrap.dedent("""
    import sys, time
    from adapters.cli.stopping import stopping
    with stopping(lambda: print("told", flush=True)) as stop:
        print("working", flush=True)
        while not stop.is_set():
            time.sleep(0.01)
        time.sleep(float(sys.argv[1]))
    print("done", flush=True)
""")


def worker(seconds_to_end: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(seconds_to_end)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "working\n"
    return started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_in_good_order(number: signal.Signals) -> None:
    with worker(0.1) as started:
        started.send_signal(number)
        assert started.communicate(timeout=30)[0] == "told\ndone\n"
    assert started.returncode == 0


def test_a_second_signal_ends_it_at_once() -> None:
    with worker(60) as started:
        started.send_signal(signal.SIGTERM)
        assert started.stdout is not None
        assert started.stdout.readline() == "told\n"
        started.send_signal(signal.SIGTERM)
        assert started.communicate(timeout=30)[0] == ""
    assert started.returncode == -signal.SIGTERM


def test_afterwards_signals_are_whoevers_they_were() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("ours"))
    try:
        with stopping() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.wait(10)
            assert heard == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == ["ours"]
    finally:
        signal.signal(signal.SIGTERM, before)
