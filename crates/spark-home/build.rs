//! Builds the crate again when the agent's source changes: a macro that embeds a directory cannot
//! tell.

fn main() {
    println!("cargo:rerun-if-changed=../../agent");
}
