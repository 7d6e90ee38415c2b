"""What a shop's server does with `rudder-sdk-python`: rudder_python.py HOST KEY"""

import sys
from datetime import datetime, timezone

from rudderstack.analytics.client import Client

host, key = sys.argv[1:]
failures = []
client = Client(key, host=host, timeout=5, upload_interval=0.1, on_error=lambda error, _: failures.append(error))
when = datetime.now(timezone.utc)
client.identify("ada", {"first_name": "Ada", "phone": "+4790000000"}, timestamp=when)
client.track("ada", "Product Added", {"name": "Støvler", "price": 120.5}, timestamp=when, context={"timezone": "Europe/Oslo"})
client.page("ada", "Shop", "Boots", {"url": "https://shop.example/boots"}, timestamp=when)
client.screen("ada", "App", "Cart", timestamp=when)
client.group("ada", "acme", {"plan": "pro"}, timestamp=when)
client.track("", "Product Viewed", {"name": "Socks"}, timestamp=when, anonymous_id="visitor-1")
client.alias("visitor-1", "ada", timestamp=when)
client.shutdown()
sys.exit(f"not delivered: {failures}" if failures else 0)
