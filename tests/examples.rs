//! The two example networks: their policies hold, and their twins violate what their READMEs say.

#![expect(clippy::expect_used, clippy::disallowed_methods, reason = "helpers of a test")]

use std::path::Path;
use std::process::Command;

fn exit_code(input: &str, policy: &str) -> (Option<i32>, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_reachproof"))
        .current_dir(root)
        .args(["check", input, "--policy", policy, "--date", "2026-11-25"])
        .output()
        .expect("the binary runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn example_policies_hold_and_their_twins_violate_them() {
    for name in ["private-ml", "nat-egress"] {
        let policy = format!("scenarios/{name}/policy.yaml");
        let (code, text) = exit_code(&format!("scenarios/{name}/aws"), &policy);
        assert_eq!(code, Some(0), "{name}: {text}");
        let (code, text) = exit_code(&format!("scenarios/{name}/twin"), &policy);
        assert_eq!(code, Some(1), "{name} twin: {text}");
        assert!(text.contains("violated  no-inbound-internet"), "{name} twin: {text}");
        assert!(text.contains(".json#/"), "a witness names the file and pointer: {text}");
    }
}
