//! JSON, which the filter, Envoy and Kubernetes read more strictly than YAML.

use serde_json::json;

use super::{assert_clean, assert_findings, assert_invalid, bootstrap, gate, route, router};
use crate::cli::{Desk, GOOD, INVALID};

#[test]
fn a_configuration_in_json_is_read_as_the_filter_reads_it() {
    for text in [
        "{\"default\": \"public\",}",
        "\n  {\n\"default\": \"public\",\n}",
        "{\"default\": \"public\" /* why */}",
        "{\"default\": \"public\"} # why",
        "{'default': 'public'}",
        "{default: public}",
        "{\"default\": \"public\", \"default\": \"deny\"}",
        "{\"default\": public}",
        "{\"default\": \"public\"",
        "{\"default\" \"public\"}",
        "\u{feff}{\"default\": \"public\"}",
    ] {
        for name in ["document.json", "document.JSON", "document", "-"] {
            assert_invalid(name, text, "JSON");
        }
    }
    assert_invalid("list.json", "default: public", "JSON");

    let desk = Desk::new();
    for (name, text) in [
        ("good.json", "\r\n\t{\"default\": \"public\"}\n"),
        ("flow.yaml", "# flow\n{default: public}"),
        ("block.yml", "default: public"),
    ] {
        desk.write(name, text);
        let ran = desk.run(&["check", name]);
        assert_eq!(ran.out, "1 configuration, no errors, no warnings\n");
    }
    // Envoy accepts it in YAML, where it becomes a Struct.
    let flow = "{\"default\": \"public\",}";
    let expected = "file.yaml: warning: YAML but not JSON: trailing comma at line 1 column 22: the filter accepts it as a";
    assert_findings("YAML", flow, &[expected], GOOD);
}

#[test]
fn a_mistake_in_json_comes_with_its_fix() {
    let desk = Desk::new();
    for (text, fix) in [
        (
            "{\"default\": \"public\",\n}",
            "JSON has no trailing commas: remove the `,` before it",
        ),
        (
            "{\"networks\": {\"allow\": [\"10.0.0.0/8\",]}}",
            "JSON has no trailing commas: remove the `,` before it",
        ),
        ("{\"default\": \"public\" // why\n}", "JSON has no comments"),
        (
            "{\"default\": \"public\" /* why */}",
            "JSON has no comments",
        ),
        ("{\"default\": \"public\"} # why", "JSON has no comments"),
        ("{'default': 'public'}", "use `\"` in place of `'`"),
        ("{\"default\": 'public'}", "use `\"` in place of `'`"),
        ("{default: public}", "quote each name with `\"`"),
    ] {
        desk.write("gate.json", text);
        let ran = desk.run(&["check", "gate.json"]);
        let expected = format!(": {fix}");
        assert!(
            ran.lines()[0].ends_with(&expected),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    // Without a configuration that could be located, the fault of the syntax is what is wrong.
    for (text, expected) in [
        (
            "{/* why */\"default\":\"public\"}".to_owned(),
            "cannot read `gate.json`: not JSON: key must be a string at line 1 column 2",
        ),
        (
            format!("{{\"default\":{}", "[".repeat(5000)),
            "nested more than 32 deep",
        ),
    ] {
        desk.write("gate.json", &text);
        let ran = desk.run(&["check", "gate.json"]);
        let said = ran.out + &ran.err;
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_file_around_the_configuration_that_is_not_json_is_reported() {
    let file = bootstrap(&[gate("countersign"), router()], &[route()]).to_string();
    let comma = file.replacen("}]}}", "}],}}", 1);
    let comment = format!("{file} # why");
    let twice = file.replacen('{', "{\"admin\":{},\"admin\":{},", 1);
    let desk = Desk::new();
    for (text, fault) in [
        (&comma, "trailing comma"),
        (&comment, "trailing characters"),
        (&twice, "duplicate member name"),
    ] {
        desk.write("envoy.json", text);
        let ran = desk.run(&["check", "envoy.json"]);
        let expected = format!("envoy.json: warning: not JSON: {fault}");
        assert!(ran.out.starts_with(&expected), "{}", ran.out);
        assert_eq!(ran.lines()[1..], ["1 configuration, no errors, 1 warning"]);
    }
    assert_clean("as YAML", &comma);
}

#[test]
fn json_text_in_a_string_value_is_read_as_the_filter_reads_it() {
    for text in [
        "{\"default\": \"public\",}",
        "{'default': 'public'}",
        "{\"default\": \"public\"} # why",
        "{default: public}",
    ] {
        let configuration =
            json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
        let mut filter = gate("countersign");
        filter["typed_config"]["config"]["configuration"] = configuration;
        let file = bootstrap(&[filter, router()], &[route()]).to_string();
        assert_findings(text, &file, &["configuration.value: "], INVALID);
    }
}
