//! `cargo rebuild-component`: build the committed components from their
//! sources, the bytecode of the scheduler from its component, and what draws workflows on
//! pages; and copy the component into the packages of other languages. With `--check`, build
//! and compare, and write nothing.
//!
//! Exit code 0: done, or the same bytes. 1: `--check` found other bytes. 2: it
//! could not be done. 3: `--check` built it, but the compiler at hand is not
//! the stamped one, so that the bytes say nothing.

use std::process::ExitCode;

use anyhow::{Result, bail};
use refrain_tests::component::bytecode::{self, BYTECODE};
use refrain_tests::component::product::{PRODUCTS, Product};
use refrain_tests::component::stamp::Stamp;
use refrain_tests::component::toolchain::Toolchain;
use refrain_tests::component::{copies, drawing};

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
        verdict = worse(verdict, of_product(product)?);
    }
    let of_drawing = if writes {
        rebuild_drawing
    } else {
        check_drawing
    };
    verdict = worse(verdict, of_drawing()?);
    let of_bytecode = match writes {
        true => rebuild_bytecode()?,
        false => check_bytecode()?,
    };
    if writes {
        copies::renew()?;
    }
    Ok(worse(verdict, of_bytecode))
}

/// Other bytes are worse news than another compiler.
fn worse(one: u8, other: u8) -> u8 {
    match (one, other) {
        (1, _) | (_, 1) => 1,
        _ => one.max(other),
    }
}

fn rebuild(product: &Product) -> Result<u8> {
    let toolchain = Toolchain::find(compiler(product.stamp()).as_deref())?;
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
    let is_same = component == product.committed()?;
    Ok(compared(product.name, is_same, [&stamp, &rebuilt]))
}

/// Says whether what is committed, with this stamp, was built again.
fn compared(name: &str, is_same: bool, [stamp, rebuilt]: [&Stamp; 2]) -> u8 {
    if is_same {
        println!(
            "{name} is, byte for byte, what its sources build to with {}",
            rebuilt.compiler
        );
        return 0;
    }
    if rebuilt.compiler != stamp.compiler {
        println!(
            "{name} was rebuilt with another compiler ({}) than the stamped one ({}), so the bytes differ and prove nothing; \
             its sources do build",
            rebuilt.compiler, stamp.compiler
        );
        return 3;
    }
    println!(
        "{name} is not what its sources build to with {}; type: cargo rebuild-component",
        stamp.compiler
    );
    1
}

fn rebuild_drawing() -> Result<u8> {
    let toolchain = Toolchain::find(compiler(drawing::stamp()).as_deref())?;
    let (module, stamp) = drawing::build(&toolchain)?;
    drawing::write(&module, &stamp)?;
    println!(
        "{}: {} bytes unpacked, SHA-256 {}, built with {}",
        drawing::SCRIPT,
        module.len(),
        stamp.component,
        stamp.compiler
    );
    Ok(0)
}

fn check_drawing() -> Result<u8> {
    let stamp = drawing::stamp()?;
    let toolchain = Toolchain::find(Some(&stamp.compiler))?;
    let (module, rebuilt) = drawing::build(&toolchain)?;
    let is_same = module == drawing::committed()?;
    Ok(compared(drawing::SCRIPT, is_same, [&stamp, &rebuilt]))
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
fn compiler(stamp: Result<Stamp>) -> Option<String> {
    stamp.ok().map(|stamp| stamp.compiler)
}
