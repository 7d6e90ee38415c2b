"""What a shop's server does with `posthog`: posthog_python.py HOST KEY"""

import sys
from datetime import datetime, timezone

from posthog import Posthog

host, key = sys.argv[1:]
failures = []
client = Posthog(
    key, host=host, timeout=5, gzip=True, disable_geoip=True, flush_interval=0.1, on_error=lambda error, _: failures.append(error)
)
when = datetime.now(timezone.utc)
client.set(distinct_id="ada", properties={"first_name": "Ada", "phone": "+4790000000"}, timestamp=when)
client.capture("Product Added", distinct_id="ada", properties={"name": "Støvler", "price": 120.5, "$timezone": "Europe/Oslo"}, timestamp=when)
client.capture("$pageview", distinct_id="ada", properties={"$current_url": "https://shop.example/boots", "title": "Boots"}, timestamp=when)
client.capture("Plan Chosen", distinct_id="ada", properties={"$set": {"plan": "pro"}}, timestamp=when)
client.capture("Product Viewed", distinct_id="visitor-1", properties={"name": "Socks", "$process_person_profile": False}, timestamp=when)
client.alias("visitor-1", "ada", timestamp=when)
client.shutdown()
sys.exit(f"not delivered: {failures}" if failures else 0)
