//! The program: it hands its arguments to [`gigwire::cli`].

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gigwire::cli::run()
}
