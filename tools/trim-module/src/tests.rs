//! What each pass makes of small modules.

use walrus::Module;

use crate::{callbacks, duplicates, order};

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn functions_with_the_same_code_are_one() {
    let merged = duplicates::merge(&module(
        r#"(module
            (func (export "a") (result i32) call 2)
            (func (export "b") (result i32) call 3)
            (func (result i32) i32.const 1)
            (func (result i32) i32.const 1)
        )"#,
    ));
    let one = module(
        r#"(module
            (func (export "a") (export "b") (result i32) call 1)
            (func (result i32) i32.const 1)
        )"#,
    );
    assert_eq!(merged.unwrap(), one);
}

#[test]
fn whatever_names_a_merged_function_names_the_one_that_stays() {
    let merged = duplicates::merge(&module(
        r#"(module
            (import "env" "log" (func))
            (table 3 funcref)
            (elem (i32.const 0) 3 2 1)
            (elem declare func 3)
            (global funcref (ref.func 3))
            (start 3)
            (func)
            (func call 0)
            (func)
            (func (result funcref) ref.func 3)
        )"#,
    ));
    let one = module(
        r#"(module
            (import "env" "log" (func))
            (table 3 funcref)
            (elem (i32.const 0) 1 2 1)
            (elem declare func 1)
            (global funcref (ref.func 1))
            (start 1)
            (func)
            (func call 0)
            (func (result funcref) ref.func 1)
        )"#,
    );
    assert_eq!(merged.unwrap(), one);
}

#[test]
fn functions_that_call_themselves_or_each_other_are_one() {
    let merged = duplicates::merge(&module(
        "(module
            (func call 0)
            (func call 1)
            (func call 3 i32.const 1 drop)
            (func call 2 i32.const 2 drop)
            (func call 5 i32.const 1 drop)
            (func call 4 i32.const 2 drop)
        )",
    ));
    let one = module(
        "(module
            (func call 0)
            (func call 2 i32.const 1 drop)
            (func call 1 i32.const 2 drop)
        )",
    );
    assert_eq!(merged.unwrap(), one);
}

#[test]
fn functions_that_differ_are_not_merged() {
    let text = r#"(module
        (import "env" "a" (func))
        (import "env" "b" (func))
        (func call 0)
        (func call 1)
        (func i32.const 1 drop)
        (func i32.const 2 drop)
        (func (param i32))
        (func (param i64))
        (func (local i32) local.get 0 drop)
        (func (local i64) local.get 0 drop)
        (func call 2)
        (func call 3)
    )"#;
    assert_eq!(duplicates::merge(&module(text)).unwrap(), module(text));
}

#[test]
fn a_function_that_only_calls_another_stays() {
    let text = r#"(module (import "env" "log" (func)) (func (export "a") call 0) (func call 1))"#;
    assert_eq!(duplicates::merge(&module(text)).unwrap(), module(text));
}

#[test]
fn each_function_keeps_its_name() {
    let merged = duplicates::merge(&module(
        "(module (func $one) (func $other) (func $third call $other))",
    ));
    let one = module("(module (func $one) (func $third call $one))");
    assert_eq!(merged.unwrap(), one);
}

/// Function 200 is called most often, so that it is the first after the imported one. 127 others fit into a byte.
#[test]
fn the_functions_that_are_named_most_often_are_first() {
    let mut text =
        String::from(r#"(module (import "env" "log" (func)) (func call 200 call 200 call 150)"#);
    for number in 2..=200 {
        text.push_str(&format!("(func i32.const {number} drop)"));
    }
    text.push(')');
    let ordered = order::by_references(&module(&text)).unwrap();
    let mut expected = String::from(r#"(module (import "env" "log" (func))"#);
    for number in [200, 150] {
        expected.push_str(&format!("(func i32.const {number} drop)"));
    }
    expected.push_str("(func call 1 call 1 call 2)");
    for number in (2..=199).filter(|number| *number != 150) {
        expected.push_str(&format!("(func i32.const {number} drop)"));
    }
    expected.push(')');
    assert_eq!(ordered, module(&expected));
}

#[test]
fn the_same_module_again_stays_as_it_is() {
    let text = "(module (func call 1 call 1) (func i32.const 1 drop) (func call 2 call 1))";
    let once = order::by_references(&duplicates::merge(&module(text)).unwrap()).unwrap();
    let twice = order::by_references(&duplicates::merge(&once).unwrap()).unwrap();
    assert_eq!(once, twice);
}

#[test]
fn callbacks_that_are_not_kept_and_their_code_are_dropped() {
    let text = r#"(module
        (func (export "proxy_on_tick") call 2)
        (func (export "proxy_on_log") call 3)
        (func i32.const 1 drop)
        (func i32.const 2 drop)
        (func (export "proxy_abi_version_0_2_1"))
    )"#;
    let kept = ["proxy_on_tick".to_owned()];
    let trimmed =
        Module::from_buffer(&callbacks::drop_others(&module(text), &kept).unwrap()).unwrap();
    let exports: Vec<_> = trimmed
        .exports
        .iter()
        .map(|export| export.name.as_str())
        .collect();
    assert_eq!(exports, ["proxy_on_tick", "proxy_abi_version_0_2_1"]);
    assert_eq!(trimmed.funcs.iter().count(), 3);
}

#[test]
fn a_callback_that_is_not_there_is_an_error() {
    let kept = ["proxy_on_tick".to_owned()];
    assert_eq!(
        callbacks::drop_others(&module("(module)"), &kept),
        Err("no export `proxy_on_tick`".to_owned())
    );
}
