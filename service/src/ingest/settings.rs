//! What a browser's tracker asks for before it sends: where events go, and that nothing else is loaded.

use serde_json::{Value, json};

/// The answer to `GET /v1/projects/KEY/settings`, for a tracker that is to send to `host` (with `/v1`) over `protocol`.
#[must_use]
pub fn settings(key: &str, protocol: &str, host: &str) -> Value {
    let enabled = || json!({ "__default": { "enabled": true, "integrations": {} } });
    json!({
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": format!("{host}/v1"),
                "protocol": protocol,
                "addBundledMetadata": false,
                "unbundledIntegrations": [],
                "maybeBundledConfigIds": {},
                "versionSettings": { "version": "4.4.7", "componentTypes": ["browser"] },
            },
        },
        "plan": { "track": enabled(), "identify": enabled(), "group": enabled() },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    })
}
