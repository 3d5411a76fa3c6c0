//! How Google shows the passes of a class: which of an object's texts stand on the card and in the list.
//!
//! Without a template everything but title, subheader and header is shown in the details alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A class's `classTemplateInfo`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassTemplate {
    /// The rows of the card, below its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_template_override: Option<CardTemplate>,
    /// What a pass says in the list of passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_template_override: Option<ListTemplate>,
    /// Every other key.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The rows of a card: at most three.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardTemplate {
    /// The rows.
    pub card_row_template_infos: Vec<CardRow>,
}

/// A row of a card.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardRow {
    /// A row of one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_item: Option<OneItem>,
    /// Every other key.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A row of one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneItem {
    /// The text.
    pub item: Item,
}

/// A text of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Where it comes from.
    pub first_value: Fields,
}

/// The list of passes: two lines each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTemplate {
    /// The second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_row_option: Option<Fields>,
    /// Every other key.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The first of these that is not empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fields {
    /// The fields.
    pub fields: Vec<FieldPath>,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldPath {
    /// `object.subheader`.
    pub field_path: String,
}

impl ClassTemplate {
    /// A card with a row for each of these text modules, and the subheader in the list.
    pub fn of_modules(ids: &[&str]) -> Self {
        let row = |id: &&str| CardRow {
            one_item: Some(OneItem { item: Item { first_value: Fields::of(module_path(id)) } }),
            other: Map::new(),
        };
        let rows = ids.iter().map(row).collect();
        let second = Some(Fields::of("object.subheader".to_owned()));
        Self {
            card_template_override: Some(CardTemplate { card_row_template_infos: rows }),
            list_template_override: Some(ListTemplate { second_row_option: second, other: Map::new() }),
            other: Map::new(),
        }
    }

    /// Drops the rows of text modules that are in no object any more.
    pub(super) fn keep_rows_of<'i>(&mut self, ids: impl Iterator<Item = &'i str>) {
        let paths: Vec<String> = ids.map(module_path).collect();
        let Some(card) = &mut self.card_template_override else { return };
        card.card_row_template_infos.retain(|row| {
            let fields = row.one_item.iter().flat_map(|row| &row.item.first_value.fields);
            fields.into_iter().any(|field| paths.contains(&field.field_path))
        });
        if card.card_row_template_infos.is_empty() {
            self.card_template_override = None;
        }
    }
}

impl Fields {
    fn of(field_path: String) -> Self {
        Self { fields: vec![FieldPath { field_path }] }
    }
}

fn module_path(id: &str) -> String {
    format!("object.textModulesData['{id}']")
}
