//! Google's discovery document of the Wallet API as a JSON Schema: unknown keys refused, required ones demanded.

use serde_json::{Map, Value, json};

/// A validator for one of the document's schemas (`GenericObject`, `GenericClass`).
pub fn validator(schema: &str) -> jsonschema::Validator {
    let path = std::env::var_os("VESTIBULE_DISCOVERY")
        .expect("VESTIBULE_DISCOVERY names Google's discovery document: run `cargo xtask test`, which fetches it");
    let text = std::fs::read_to_string(path).expect("the discovery document is there");
    let discovery: Value = serde_json::from_str(&text).expect("the discovery document is JSON");
    let schemas = discovery["schemas"].as_object().expect("it has schemas");
    assert!(schemas.contains_key(schema), "the discovery document knows {schema}");
    let definitions: Map<String, Value> =
        schemas.iter().map(|(name, schema)| (name.clone(), translate(schema))).collect();
    let root = json!({ "$ref": format!("#/$defs/{schema}"), "$defs": definitions });
    jsonschema::validator_for(&root).expect("the translation is a JSON Schema")
}

/// One schema of the discovery format (JSON Schema draft 3 with Google's ways) in today's JSON Schema.
fn translate(schema: &Value) -> Value {
    let mut out = Map::new();
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        out.insert("$ref".into(), format!("#/$defs/{name}").into());
        return out.into();
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
    // 64-bit integers travel as strings.
    match (kind, schema.get("format").and_then(Value::as_str)) {
        ("any", _) => {}
        ("string", Some("int64" | "uint64")) => {
            out.insert("type".into(), json!(["string", "integer"]));
        }
        _ => {
            out.insert("type".into(), kind.into());
        }
    }
    if let Some(values) = schema.get("enum") {
        out.insert("enum".into(), values.clone());
    }
    if let Some(items) = schema.get("items") {
        out.insert("items".into(), translate(items));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let required: Vec<&String> =
            properties.iter().filter(|(_, property)| is_required(property)).map(|(name, _)| name).collect();
        out.insert("required".into(), json!(required));
        out.insert(
            "properties".into(),
            properties.iter().map(|(name, property)| (name.clone(), translate(property))).collect::<Map<_, _>>().into(),
        );
        out.insert("additionalProperties".into(), false.into());
    }
    out.into()
}

fn is_required(property: &Value) -> bool {
    property.get("description").and_then(Value::as_str).is_some_and(|text| text.starts_with("Required."))
}
