//! What must never leave the process by a side door: people's data in logs and metrics, and the inside in errors.
