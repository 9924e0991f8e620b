//! The answer of `check` as a JUnit report: a suite, a case for each property, a failure for a violation, an error for
//! what could not be decided. There are no times in it, so that equal answers are equal files.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use reachproof_engine::check::{PropertyReport, Verdict};

use super::check::{Checked, Summary, property_text, sentence, verdict_name};
use crate::exit::Failure;
use crate::style::{Style, visible};

/// The report.
pub fn report(checked: Checked<'_, '_>) -> Result<String, Failure> {
    let written = |error: io::Error| Failure::new(format!("cannot write XML: {error}"));
    let bytes = suites(checked).map_err(written)?;
    String::from_utf8(bytes).map(|text| text + "\n").map_err(|error| Failure::new(error.to_string()))
}

fn suites(checked: Checked<'_, '_>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let summary = Summary::of(checked.reports);
    let (all, failures, errors) =
        (checked.reports.len().to_string(), summary.violated.to_string(), summary.unknown.to_string());
    let counts = [("tests", all.as_str()), ("failures", &failures), ("errors", &errors)];
    let name = [("name", "reachproof")];
    let suites = writer.create_element("testsuites").with_attributes(name).with_attributes(counts);
    suites.write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attributes(name).with_attributes(counts);
        let suite = suite.with_attribute(("skipped", "0"));
        suite.write_inner_content(|writer| {
            checked.reports.iter().try_for_each(|report| case(writer, checked, report))
        })?;
        Ok(())
    })?;
    Ok(writer.into_inner())
}

fn case(writer: &mut Writer<Vec<u8>>, checked: Checked<'_, '_>, report: &PropertyReport) -> io::Result<()> {
    let (name, text) = (safe(&report.name), property_text(checked, report, Style { colours: false }));
    let text: String = text.lines().map(|line| safe(line) + "\n").collect();
    let case =
        writer.create_element("testcase").with_attributes([("classname", "reachproof"), ("name", &name)]);
    case.write_inner_content(|writer| {
        let element = match report.verdict {
            Verdict::Holds => writer.create_element("system-out"),
            Verdict::Violated => writer.create_element("failure"),
            Verdict::Unknown => writer.create_element("error"),
        };
        let message = sentence(report);
        let attributes = [("message", message.as_str()), ("type", verdict_name(report.verdict))];
        let failed = report.verdict != Verdict::Holds;
        let element = element.with_attributes(attributes.into_iter().filter(|_| failed));
        element.write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// Text without what XML 1.0 has no way to write.
fn safe(text: &str) -> String {
    visible(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
