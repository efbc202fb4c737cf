//! What is counted, from the start: a rate of something that has not happened yet is nought, and not unknown.

/// A counter, the name of its label, and the values that the label has.
const COUNTERS: [(&str, &str, &[&str]); 5] = [
    ("bonafide_tokens_total", "grant", &["authorization_code", "refresh_token", "client_credentials", "credentials"]),
    ("bonafide_faults_total", "kind", &["unavailable", "failed"]),
    ("bonafide_decisions_total", "decision", &["allow", "deny", "error"]),
    ("bonafide_trace_exports_total", "outcome", &["taken", "failed"]),
    ("bonafide_authorization_refusals_total", "error", &["page", "login_required", "access_denied", "invalid_request"]),
];

const PLAIN: [&str; 9] = [
    "bonafide_client_auth_failures_total",
    "bonafide_code_replays_total",
    "bonafide_refresh_reuse_total",
    "bonafide_decisions_not_noted_total",
    "bonafide_requests_throttled_total",
    "bonafide_revocations_total",
    "bonafide_traces_dropped_total",
    "bonafide_snapshot_failures_total",
    "bonafide_upstream_logouts_total",
];

/// Ways to sign in, and what can come of it.
const SIGN_INS: [(&str, &[&str]); 3] = [
    ("password", &["signed_in", "wrong_password", "unknown", "disabled", "unverified", "throttled", "busy"]),
    ("json", &["signed_in", "wrong_password", "unknown", "disabled", "unverified", "throttled", "busy"]),
    ("provider", &["signed_in", "state", "denied", "unavailable", "unbelievable"]),
];

const THROTTLED: [&str; 3] = ["account", "address", "network"];
/// Kinds of messages in the outbox.
pub(super) const MESSAGES: [&str; 2] = ["mail", "backchannel_logout"];
const DELIVERIES: [&str; 4] = ["taken", "obsolete", "failed", "given_up"];

pub(super) fn begin() {
    for name in PLAIN {
        metrics::counter!(name).increment(0);
    }
    for (name, label, values) in COUNTERS {
        for value in values {
            metrics::counter!(name, label => *value).increment(0);
        }
    }
    for (way, outcomes) in SIGN_INS {
        for outcome in outcomes {
            metrics::counter!("bonafide_sign_ins_total", "way" => way, "outcome" => *outcome).increment(0);
        }
    }
    for by in THROTTLED {
        metrics::counter!("bonafide_throttled_total", "what" => "sign_in", "by" => by).increment(0);
    }
    for kind in MESSAGES {
        for outcome in DELIVERIES {
            metrics::counter!("bonafide_outbox_messages_total", "kind" => kind, "outcome" => outcome).increment(0);
        }
    }
}
