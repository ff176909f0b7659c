//! A component's binary form, as far as tests put something behind it: after
//! eight bytes it is a list of sections, each with an id and a length.

/// A core module.
pub const CORE_MODULE: u8 = 1;
/// Instances of core modules.
pub const CORE_INSTANCE: u8 = 2;
/// A component within the component.
pub const COMPONENT: u8 = 4;
/// Instances of components.
pub const INSTANCE: u8 = 5;
/// The data of a core module.
pub const DATA: u8 = 11;

/// How many sections of this id there are.
#[must_use]
pub fn count(component: &[u8], of: u8) -> u8 {
    let mut found = 0;
    for (id, _) in each(component) {
        found += u8::from(id == of);
    }
    found
}

/// The sections of a component or a core module: each one's id and content.
pub fn each(binary: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = &binary[8..];
    std::iter::from_fn(move || {
        let [id, behind @ ..] = rest else {
            return None;
        };
        let (length, behind) = number(behind);
        let (content, behind) = behind.split_at(length);
        rest = behind;
        Some((*id, content))
    })
}

/// Put a section behind all others.
pub fn append(component: &mut Vec<u8>, id: u8, content: &[u8]) {
    component.push(id);
    let mut length = content.len();
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend_from_slice(content);
}

/// Put a core module or a component behind all others, and one instance of it
/// that is given nothing.
pub fn append_instantiated(component: &mut Vec<u8>, id: u8, content: &[u8]) {
    let index = count(component, id);
    append(component, id, content);
    // One instance, instantiated, of this index, with no arguments.
    append(component, id + 1, &[1, 0, index, 0]);
}

/// A number in LEB128, and what stands behind it.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let length = bytes.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let digits = bytes[..length].iter().rev();
    let value = digits.fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    (value, &bytes[length..])
}
