//! `cargo rebuild-component`: build the committed components from their
//! sources, and the bytecode of the scheduler from its component, and copy the component into
//! the packages of other languages. With `--check`, build and compare, and write nothing.
//!
//! Exit code 0: done, or the same bytes. 1: `--check` found other bytes. 2: it
//! could not be done. 3: `--check` built it, but the compiler at hand is not
//! the stamped one, so that the bytes say nothing.

use std::process::ExitCode;

use anyhow::{Result, bail};
use refrain_tests::component::bytecode::{self, BYTECODE};
use refrain_tests::component::copies;
use refrain_tests::component::product::{PRODUCTS, Product};
use refrain_tests::component::toolchain::Toolchain;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(verdict) => ExitCode::from(verdict),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<u8> {
    let writes = match arguments {
        [] => true,
        [only] if only == "--check" => false,
        _ => bail!("usage: cargo rebuild-component [--check]"),
    };
    let mut verdict = 0;
    for product in &PRODUCTS {
        let of_product = if writes { rebuild } else { check };
        verdict = verdict.max(of_product(product)?);
    }
    let of_bytecode = match writes {
        true => rebuild_bytecode()?,
        false => check_bytecode()?,
    };
    if writes {
        copies::renew()?;
    }
    // Other bytes are worse news than another compiler.
    Ok(match of_bytecode {
        0 => verdict,
        worse => worse,
    })
}

fn rebuild(product: &Product) -> Result<u8> {
    let toolchain = Toolchain::find(stamped_compiler(product).as_deref())?;
    let (component, stamp) = product.build(&toolchain)?;
    product.write(&component, &stamp)?;
    println!(
        "{}: {} bytes, SHA-256 {}, built with {}",
        product.component,
        component.len(),
        stamp.component,
        stamp.compiler
    );
    Ok(0)
}

fn check(product: &Product) -> Result<u8> {
    let stamp = product.stamp()?;
    let toolchain = Toolchain::find(Some(&stamp.compiler))?;
    let (component, rebuilt) = product.build(&toolchain)?;
    if component == product.committed()? {
        println!(
            "{} is, byte for byte, what its sources build to with {}",
            product.name, rebuilt.compiler
        );
        return Ok(0);
    }
    if rebuilt.compiler != stamp.compiler {
        println!(
            "{} was rebuilt with another compiler ({}) than the stamped one ({}), so the bytes differ and prove nothing; \
             its sources do build",
            product.name, rebuilt.compiler, stamp.compiler
        );
        return Ok(3);
    }
    println!(
        "{} is not what its sources build to with {}; type: cargo rebuild-component",
        product.name, stamp.compiler
    );
    Ok(1)
}

fn rebuild_bytecode() -> Result<u8> {
    let (bytecode, stamp) = bytecode::rebuild()?;
    println!(
        "{BYTECODE}: {} bytes, made of it with wasmtime {}",
        bytecode.len(),
        stamp.wasmtime
    );
    Ok(0)
}

fn check_bytecode() -> Result<u8> {
    Ok(match bytecode::freshness()? {
        Ok(()) => {
            println!("{BYTECODE} is, byte for byte, what the component is compiled to");
            0
        }
        Err(problem) => {
            println!("{problem}");
            1
        }
    })
}

/// The compiler that made what is committed, if anything is.
fn stamped_compiler(product: &Product) -> Option<String> {
    product.stamp().ok().map(|stamp| stamp.compiler)
}
