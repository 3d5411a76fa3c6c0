//! Settings of organisations there are none of: a table with a misspelt id does nothing, and says nothing.

use super::{Finding, Setup};

/// Looks at the tables `[organisations.ID]`.
pub fn check(setup: &Setup<'_>) -> Vec<Finding> {
    let unknown = setup.config.organisations.keys().filter(|id| !setup.organisations.contains(id));
    unknown
        .map(|id| {
            let known: Vec<_> = setup.organisations.iter().map(ToString::to_string).collect();
            let advice = match known.as_slice() {
                [] => "there is none yet".to_owned(),
                known => format!("there is {}", known.join(", ")),
            };
            let message =
                format!("The settings have [organisations.{id}], which is no organisation of this hub; {advice}.");
            Finding::warning("unknown_organisation", message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes;
    use super::*;

    #[test]
    fn settings_of_an_organisation_that_is_not_there_are_said() {
        let found = |id: &str| {
            codes(
                &format!("public_url = 'https://a.example'\nmail_from = 'a@a.example'\n[organisations.{id}]\n"),
                check,
            )
        };
        assert_eq!(found("example-ag"), [""; 0]);
        assert_eq!(found("exmaple-ag"), ["unknown_organisation"]);
    }
}
