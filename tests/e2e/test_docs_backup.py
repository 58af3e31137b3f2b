"""What the operations page shows of backup and restore gets everything back, rights included."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
from reporting import Story

from adapters.postgres.embedded import _binaries

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
RIGHTS = """
    SELECT nspname, relname, pg_get_userbyid(relowner), ARRAY(SELECT unnest(relacl)::text ORDER BY 1)
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname IN ('log', 'read', 'audit', 'vault', 'access', 'ingest') AND relkind IN ('r', 'v', 'S')
    ORDER BY nspname, relname
"""
PERSONAL = "+7 916 123-45-67"


def shell(commands: str, folder: Path, url: str) -> str:
    path = f"{Path(sys.executable).parent}:{_binaries()}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DATABASE_URL": url, "DEALTRAIL_HOME": str(folder)}
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_was_backed_up_is_restored_with_all_rights(
    empty_database_url: str, database_url: str, tmp_path: Path
) -> None:
    section = PAGE.read_text().split("## Backup and restore\n", 1)[1].split("\n## ", 1)[0]
    back_up, restore = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    story = Story(database_url)
    story.pipeline().rep("ann").lead("L-1", "ann", name="Acme").deal("D-1", "L-1", "Call")
    story.projector.catch_up()
    end = story.position
    story.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            'INSERT INTO ingest.dead_letter (topic, partition, "offset", code, error, headers, value)'
            " VALUES ('actions', 0, 0, 'malformed', '{}', '[]', %s)",
            (PERSONAL.encode(),),
        )
        rights = connection.execute(RIGHTS).fetchall()
        keys = connection.execute("SELECT count(*) FROM vault.key").fetchall()
    # As of then: what the restored log is told next is that the claim lapsed meanwhile.
    reports = "".join(
        f"dealtrail {report} --json --as-of '#{end}'\n" for report in ("funnel --pipeline sales", "lead L-1")
    )
    told = shell(reports, tmp_path, database_url)
    assert '"name": "Acme"' in told
    shell(back_up, tmp_path, database_url)
    assert PERSONAL.encode().hex() not in shell("pg_restore --file=- log.dump", tmp_path, database_url)
    said = shell(restore, tmp_path, empty_database_url)
    assert f"Each of {end} events is what was recorded" in said
    assert shell(reports, tmp_path, empty_database_url) == told
    with psycopg.connect(empty_database_url) as restored:
        assert restored.execute(RIGHTS).fetchall() == rights
        assert restored.execute("SELECT count(*) FROM vault.key").fetchall() == keys != [(0,)]
        assert restored.execute("SELECT count(*) FROM ingest.dead_letter").fetchall() == [(1,)]
