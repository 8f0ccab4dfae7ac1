//! Uploads state no events: who uploads waits for the answer, and what a file is attached to states its own.
