//! Bounds on the size and shape of a component, which are checked by reading it,
//! before a compiler gets it.
//!
//! For some small files a compiler takes far more than linear time and memory. The
//! most expensive shape is a function with many variables and much control flow: every
//! place where paths meet needs a value for every variable. Therefore not only the
//! number of everything is bounded here, but also that product. Guests that other
//! toolchains make (with engines for JavaScript or Python inside) stay far below.

use wasmparser::{BlockType, FuncType, FunctionBody, Operator, Parser, Payload};

use super::ComponentError;

/// The number of core modules, in all components together.
const MODULES_MAX: usize = 256;
/// The number of components within components, and their depth.
const COMPONENTS_MAX: usize = 128;
const NESTING_MAX: usize = 16;
/// The number of functions, in all modules together.
const FUNCTIONS_MAX: usize = 250_000;
/// The bytes of one function.
const FUNCTION_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The variables of one function, with its parameters.
const LOCALS_MAX: u64 = 20_000;
/// The places in one function where paths part or meet, times its variables.
const TANGLE_MAX: u64 = 32_000_000;
/// The loops in one function, times its variables: until the end of a loop is known,
/// each variable may have another value at its head.
const LOOP_TANGLE_MAX: u64 = 1_000_000;
/// Places times variables, as above, in all functions together.
const TANGLE_SUM_MAX: u64 = 2_000_000_000;

/// Checks that this component has a size and a shape that can be compiled soon.
pub(super) fn check(bytes: &[u8]) -> Result<(), ComponentError> {
    let mut count = Count::default();
    for payload in Parser::new(0).parse_all(bytes) {
        count.take(payload.map_err(malformed)?)?;
    }
    Ok(())
}

/// The counts so far.
#[derive(Default)]
struct Count {
    modules: usize,
    components: usize,
    functions: usize,
    tangle: u64,
    /// The component or module that is being read, which comes last, and those around
    /// it.
    open: Vec<Module>,
}

/// The types of one module's functions, for their numbers of parameters and
/// results.
#[derive(Default)]
struct Module {
    /// The number of parameters and results of each type.
    types: Vec<(u64, u64)>,
    /// The type of each function that the module defines itself.
    functions: Vec<u32>,
    bodies: usize,
}

impl Count {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), ComponentError> {
        match payload {
            Payload::Version { .. } => {
                self.open.push(Module::default());
                within("nested components", self.open.len(), NESTING_MAX)
            }
            Payload::End(_) => {
                self.open.pop();
                Ok(())
            }
            Payload::ModuleSection { .. } => {
                self.modules += 1;
                within("core modules", self.modules, MODULES_MAX)
            }
            Payload::ComponentSection { .. } => {
                self.components += 1;
                within("components", self.components, COMPONENTS_MAX)
            }
            Payload::TypeSection(types) => {
                for function in types.into_iter_err_on_gc_types() {
                    let types = self.module().map(|module| &mut module.types);
                    let function = function.map_err(malformed)?;
                    types
                        .into_iter()
                        .for_each(|types| types.push(arity(&function)));
                }
                Ok(())
            }
            Payload::FunctionSection(functions) => {
                self.functions += functions.count() as usize;
                within("functions", self.functions, FUNCTIONS_MAX)?;
                for of_type in functions {
                    let of_type = of_type.map_err(malformed)?;
                    self.module()
                        .into_iter()
                        .for_each(|module| module.functions.push(of_type));
                }
                Ok(())
            }
            Payload::CodeSectionEntry(body) => self.body(&body),
            _ => Ok(()),
        }
    }

    fn module(&mut self) -> Option<&mut Module> {
        self.open.last_mut()
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), ComponentError> {
        within(
            "bytes in one function",
            body.range().len(),
            FUNCTION_BYTES_MAX,
        )?;
        let tangle = self
            .module()
            .map(|module| module.tangle(body))
            .transpose()?;
        self.tangle = self.tangle.saturating_add(tangle.unwrap_or(0));
        within(
            "times a variable and a branch meet in all functions",
            self.tangle,
            TANGLE_SUM_MAX,
        )
    }
}

impl Module {
    /// The places where paths part or meet, times the variables.
    fn tangle(&mut self, body: &FunctionBody<'_>) -> Result<u64, ComponentError> {
        let own = self.functions.get(self.bodies);
        let (parameters, _) = own.map_or((0, 0), |own| self.arity(*own));
        self.bodies += 1;
        let mut locals = parameters;
        for group in body.get_locals_reader().map_err(malformed)? {
            locals = locals.saturating_add(u64::from(group.map_err(malformed)?.0));
        }
        within("variables in one function", locals, LOCALS_MAX)?;
        let (mut places, mut loops) = (1_u64, 0_u64);
        for operator in body.get_operators_reader().map_err(malformed)? {
            let operator = operator.map_err(malformed)?;
            places = places.saturating_add(self.places(&operator));
            if let Operator::Loop { blockty } = operator {
                loops = loops.saturating_add(1 + self.width(blockty));
            }
        }
        within(
            "times a variable and a loop meet in one function",
            loops.saturating_mul(locals + 1),
            LOOP_TANGLE_MAX,
        )?;
        let tangle = places.saturating_mul(locals + 1);
        within(
            "times a variable and a branch meet in one function",
            tangle,
            TANGLE_MAX,
        )?;
        Ok(tangle)
    }

    fn places(&self, operator: &Operator<'_>) -> u64 {
        match operator {
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                1 + self.width(*blockty)
            }
            Operator::Else | Operator::Br { .. } | Operator::BrIf { .. } | Operator::Return => 1,
            Operator::BrTable { targets } => 1 + u64::from(targets.len()),
            _ => 0,
        }
    }

    /// The values that a block takes and gives.
    fn width(&self, of: BlockType) -> u64 {
        match of {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1,
            BlockType::FuncType(index) => {
                let (parameters, results) = self.arity(index);
                parameters + results
            }
        }
    }

    fn arity(&self, of_type: u32) -> (u64, u64) {
        let known = self.types.get(of_type as usize).copied();
        known.unwrap_or((0, 0))
    }
}

fn arity(function: &FuncType) -> (u64, u64) {
    (
        function.params().len() as u64,
        function.results().len() as u64,
    )
}

fn within(
    what: &'static str,
    found: impl TryInto<u64>,
    max: impl TryInto<u64>,
) -> Result<(), ComponentError> {
    let found = found.try_into().unwrap_or(u64::MAX);
    let max = max.try_into().unwrap_or(u64::MAX);
    if found > max {
        return Err(ComponentError::TooTangled { what, found, max });
    }
    Ok(())
}

fn malformed(error: wasmparser::Error) -> ComponentError {
    ComponentError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(body: &str) -> Vec<u8> {
        let module = wat::parse_str(format!("(component (core module {body}))"));
        module.unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(bytes: &[u8]) -> String {
        match check(bytes) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_function_may_have_many_variables_or_much_control_flow_but_not_both() {
        let function = |locals: usize, loops: usize| {
            core(&format!(
                "(func (local {}) {} {})",
                "i32 ".repeat(locals),
                "loop ".repeat(loops),
                "end ".repeat(loops)
            ))
        };
        assert_eq!(refused(&function(10_000, 90)), "");
        assert_eq!(refused(&function(90, 10_000)), "");
        assert!(refused(&function(2_000, 900)).contains("and a loop meet in one function"));
        assert!(refused(&function(900, 2_000)).contains("and a loop meet in one function"));
        assert!(refused(&function(30_000, 1)).contains("30000 variables in one function"));
    }

    #[test]
    fn what_a_block_carries_counts_like_variables() {
        let block = |count: usize| {
            core(&format!(
                "(type $wide (func (param {wide}) (result {wide}))) (func (param {wide}) (local {locals}) {blocks})",
                wide = "i32 ".repeat(1000),
                locals = "i32 ".repeat(1000),
                blocks =
                    "unreachable block (type $wide) unreachable end unreachable ".repeat(count),
            ))
        };
        assert_eq!(refused(&block(2)), "");
        assert!(refused(&block(20)).contains("a branch meet in one function"));
    }

    #[test]
    fn nesting_and_numbers_are_bounded() {
        let nested = format!("{}{}", "(component ".repeat(20), ")".repeat(20));
        let nested = wat::parse_str(nested).unwrap_or_else(|error| panic!("{error}"));
        assert!(refused(&nested).contains("nested components"));
        let many = format!("(component {})", "(core module)".repeat(300));
        let many = wat::parse_str(many).unwrap_or_else(|error| panic!("{error}"));
        assert!(refused(&many).contains("257 core modules"));
    }
}
