//! Verifies certificates with naive code of its own. Depends on `reachproof-model` alone, never on the engine.
