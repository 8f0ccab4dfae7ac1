//! The program: it hands its arguments to [`gigwire::cli`].

fn main() -> std::process::ExitCode {
    gigwire::cli::run()
}
