//! The manifest of a collection run: which calls were refused or failed (R-DATA-4).

use super::value::{Text, shape};

shape! {
    /// One entry of `calls`.
    ManifestCall<'a> as "a call of a manifest" {
        #[serde(rename = "service")]
        service: Text<'a>,
        #[serde(rename = "operation")]
        operation: Text<'a>,
        #[serde(rename = "result")]
        result: Text<'a>,
        #[serde(rename = "suffix")]
        suffix: Text<'a>,
        #[serde(rename = "account")]
        account: Text<'a>,
        #[serde(rename = "region")]
        region: Text<'a>,
    }
}

impl ManifestCall<'_> {
    /// The call in the form `ec2 describe-vpcs`.
    pub(super) fn call(&self) -> Box<str> {
        format!("{} {}", &*self.service, &*self.operation).into_boxed_str()
    }

    /// Whether the entry says what was called and what came of it: one of another shape may hide a failure.
    pub(super) fn is_whole(&self) -> bool {
        ![&self.service, &self.operation, &self.result].iter().any(|text| text.is_empty())
    }

    /// Whether the call asked about one thing of several.
    pub(super) fn has_parent(&self) -> bool {
        !self.suffix.is_empty()
    }

    /// Takes the scope of the whole manifest where the call names none.
    pub(super) fn default_scope(&mut self, account: &Text<'_>, region: &Text<'_>) {
        for (own, whole) in [(&mut self.account, account), (&mut self.region, region)] {
            if own.is_empty() {
                *own = Text(whole.to_string().into());
            }
        }
    }

    /// Whether the manifest says that there is no answer.
    pub(super) fn failed(&self) -> bool {
        !self.result.is("ok") && !self.result.is("empty")
    }
}
