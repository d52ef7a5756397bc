//! Values that no token and no request can have.

use super::assert_findings;
use crate::cli::GOOD;

#[test]
fn values_that_nothing_can_have_are_reported() {
    for (rule, path) in [
        ("{\"roles\": [\"admin \"]}", "roles[0]"),
        (
            "{\"any_of\": [{\"any_groups\": [\" staff\"]}]}",
            "any_of[0].any_groups[0]",
        ),
        (
            "{\"claims\": {\"tenant\": [\"red\\n\"]}}",
            "claims.tenant[0]",
        ),
    ] {
        let text = format!(
            "{{\"default\": \"public\", \"providers\": [{{\"name\": \"corp\", \"jwt\": {{\"issuer\": \"https://a\", \
             \"audiences\": [\"b\"], \"jwks\": {{\"remote\": {{\"uri\": \"https://a/jwks\", \"cluster\": \"a\"}}}}}}}}], \
             \"rules\": [{{\"name\": \"x\", \"match\": {{}}, \"require\": {rule}}}]}}"
        );
        let expected = format!(
            "file.yaml: rules[0].require.{path}: warning: whitespace at an end, or an invisible character: the text is compared as written"
        );
        assert_findings(rule, &text, &[&expected], GOOD);
        let user = text
            .replace("https://a\"", "https://me:hunter2@a\"")
            .replace("[\"admin \"]", "[\"admin\"]");
        let expected =
            "providers[0].jwt.issuer: warning: expected an issuer without user name and password";
        if rule.contains("admin") {
            assert_findings(rule, &user, &[expected], GOOD);
        }
    }
}
