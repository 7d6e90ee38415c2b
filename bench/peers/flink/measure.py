"""Runs the rule of rules.segue as Flink SQL over a stream, several times, on one slot.

Prints a JSON list: for each run the seconds that it took and the number of matches.
"""

import json
import os
import shutil
import sys
import tempfile
import time

from pyflink.table import EnvironmentSettings, TableEnvironment

stream, runs = os.path.abspath(sys.argv[1]), int(sys.argv[2])

# Lines are in order of time, and several can have the same: the watermark stays a millisecond behind them.
SOURCE = f"""
CREATE TABLE events (
  `event` STRING,
  `userId` STRING,
  `timestamp` BIGINT,
  `at` AS TO_TIMESTAMP_LTZ(`timestamp`, 3),
  WATERMARK FOR `at` AS `at` - INTERVAL '0.001' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'file://{stream}', 'format' = 'json')
"""

# SQL cannot say that something does not come. A wait is over with the next event of the customer that lies beyond it,
# and the stream has one for every customer.
MATCHES = """
SELECT userId, added FROM events MATCH_RECOGNIZE (
  PARTITION BY `userId`
  ORDER BY `at`
  MEASURES A.`timestamp` AS added
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST LATER
  PATTERN (A N* LATER)
  DEFINE
    A AS A.`event` = 'Product Added',
    N AS N.`event` NOT IN ('Product Added', 'Order Completed')
      AND N.`timestamp` <= LAST(A.`timestamp`) + 7200000,
    LATER AS LATER.`timestamp` > LAST(A.`timestamp`) + 7200000
)
"""


def run(folder):
    """One run in a new environment: its seconds and its matches."""
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for key, value in {
        "parallelism.default": "1",
        "taskmanager.memory.process.size": "3g",
        "table.exec.mini-batch.enabled": "false",
        # Objects are not copied between operators: the fastest that Flink offers.
        "pipeline.object-reuse": "true",
    }.items():
        environment.get_config().set(key, value)
    environment.execute_sql(SOURCE)
    environment.execute_sql(
        "CREATE TABLE reminders (userId STRING, added BIGINT) WITH ("
        f"'connector' = 'filesystem', 'path' = 'file://{folder}', 'format' = 'csv')"
    )
    start = time.monotonic()
    environment.execute_sql("INSERT INTO reminders " + MATCHES).wait()
    seconds = time.monotonic() - start
    count = 0
    for root, _, names in os.walk(folder):
        for name in names:
            if name.startswith("part-"):
                with open(os.path.join(root, name), "rb") as part:
                    count += sum(1 for _ in part)
    return {"seconds": seconds, "matches": count}


results = []
for _ in range(runs):
    folder = tempfile.mkdtemp(prefix="segue-peers-flink-")
    try:
        results.append(run(folder))
    finally:
        shutil.rmtree(folder)
print(json.dumps(results))
