//! As much HTML as it takes to fill in a form: start tags, their attributes, character references.

/// A start tag.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// In lower case.
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    /// Where the tag ends in the page.
    end: usize,
}

impl Element {
    /// An attribute's value, character references resolved; empty for one without a value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A form with everything that a browser would send without anybody touching it.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    /// In upper case.
    pub(crate) method: String,
    /// Named fields and their initial values, in order; buttons and boxes that are not ticked are left out.
    pub(crate) fields: Vec<(String, String)>,
    /// Everything within the form.
    pub(crate) elements: Vec<Element>,
}

impl Form {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a control of this name is in the form, whatever its kind.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.elements.iter().any(|element| element.attribute("name") == Some(name))
    }

    /// The button with this id.
    pub(crate) fn button(&self, id: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.attribute("id") == Some(id))
    }
}

/// The start tags of a page, in order. What stands in a comment, a script or a style is no tag.
pub(crate) fn elements(page: &str) -> Vec<Element> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = page[at..].find('<') {
        at += offset;
        let rest = &page[at..];
        if rest.starts_with("<!--") {
            at += rest.find("-->").map_or(rest.len(), |end| end + 3);
        } else if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            let element = start_tag(page, at);
            at = element.end;
            if matches!(element.name.as_str(), "script" | "style") {
                at += end_tag(&page[at..], &element.name);
            }
            found.push(element);
        } else {
            at += 1;
        }
    }
    found
}

/// The forms of a page, in order.
pub(crate) fn forms(page: &str) -> Vec<Form> {
    elements(page)
        .into_iter()
        .filter(|element| element.name == "form")
        .map(|form| {
            let inside = &page[form.end..form.end + end_tag(&page[form.end..], "form")];
            let elements = elements(inside);
            Form {
                action: form.attribute("action").unwrap_or_default().to_owned(),
                method: form.attribute("method").unwrap_or("get").to_ascii_uppercase(),
                fields: elements.iter().filter_map(|element| initial(element, inside)).collect(),
                elements,
            }
        })
        .collect()
}

/// The text of the first `title` element.
pub(crate) fn title(page: &str) -> Option<String> {
    let title = elements(page).into_iter().find(|element| element.name == "title")?;
    Some(unescape(page[title.end..title.end + end_tag(&page[title.end..], "title")].trim()))
}

/// What a control sends when nobody touches it.
fn initial(control: &Element, form: &str) -> Option<(String, String)> {
    let name = control.attribute("name")?.to_owned();
    let value = control.attribute("value");
    let value = match (control.name.as_str(), control.attribute("type").unwrap_or("text")) {
        ("input", "submit" | "button" | "image" | "reset") => return None,
        ("input", "checkbox" | "radio") => {
            control.attribute("checked")?;
            value.unwrap_or("on").to_owned()
        }
        ("input", _) => value.unwrap_or_default().to_owned(),
        ("textarea", _) => unescape(&form[control.end..control.end + end_tag(&form[control.end..], "textarea")]),
        ("select", _) => {
            let options = elements(&form[control.end..control.end + end_tag(&form[control.end..], "select")]);
            let chosen = options.iter().find(|option| option.attribute("selected").is_some()).or(options.first())?;
            chosen.attribute("value").unwrap_or_default().to_owned()
        }
        _ => return None,
    };
    Some((name, value))
}

/// How far it is to `</name`, or to the end.
fn end_tag(rest: &str, name: &str) -> usize {
    let closing = format!("</{name}");
    let end = rest.as_bytes().windows(closing.len()).position(|bytes| bytes.eq_ignore_ascii_case(closing.as_bytes()));
    end.unwrap_or(rest.len())
}

/// Reads the start tag that begins at `at` with `<` and a letter.
fn start_tag(page: &str, at: usize) -> Element {
    let mut rest = &page[at + 1..];
    let name = take(&mut rest, |c| !c.is_ascii_whitespace() && !matches!(c, '>' | '/')).to_ascii_lowercase();
    let mut attributes = Vec::new();
    loop {
        take(&mut rest, |c| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return Element { name, attributes, end: page.len() - rest.len() + usize::from(!rest.is_empty()) };
        }
        let key = take(&mut rest, |c| !c.is_ascii_whitespace() && !matches!(c, '=' | '>' | '/')).to_ascii_lowercase();
        take(&mut rest, |c| c.is_ascii_whitespace());
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            rest = after;
            take(&mut rest, |c| c.is_ascii_whitespace());
            value = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    rest = &rest[1..];
                    let value = take(&mut rest, |c| c != quote);
                    rest = rest.get(1..).unwrap_or_default();
                    value
                }
                _ => take(&mut rest, |c| !c.is_ascii_whitespace() && c != '>'),
            };
        }
        if !key.is_empty() {
            attributes.push((key, unescape(value)));
        }
    }
}

/// Takes from the front of `rest` as long as `wanted` holds.
fn take<'a>(rest: &mut &'a str, wanted: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    let (taken, left) = rest.split_at(end);
    *rest = left;
    taken
}

/// Resolves numeric character references and the five named ones that template engines write.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.find(';').and_then(|end| Some((character(&rest[1..end])?, end + 1)));
        let (c, length) = reference.unwrap_or(('&', 1));
        plain.push(c);
        rest = &rest[length..];
    }
    plain + rest
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[test]
fn a_form_is_read_as_a_browser_would_send_it() {
    let page = r#"<!doctype html><title>Sign in &amp; go</title><!-- <form action="/no"> -->
        <script>"<form action='/neither'>"</script>
        <FORM method='post' action="/sign-in?a=1&amp;b=2"><input type="hidden" name="csrf" value="a&#x2b;b&quot;"/>
        <input name=username value=Ada><input type=checkbox name=remember><input type=checkbox name=yes checked>
        <select name=language><option value=en><option value=ar selected></select><textarea name=note>x &lt; y</textarea>
        <button id="sign-in" name="decision" value="go">Sign in</button></form>"#;
    assert_eq!(title(page).as_deref(), Some("Sign in & go"));
    let forms = forms(page);
    assert_eq!(forms.len(), 1);
    let form = &forms[0];
    assert_eq!((form.action.as_str(), form.method.as_str()), ("/sign-in?a=1&b=2", "POST"));
    let fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [("csrf", "a+b\""), ("username", "Ada"), ("yes", "on"), ("language", "ar"), ("note", "x < y")];
    assert_eq!(fields, expected);
    assert!(form.has("remember"));
    assert_eq!(form.button("sign-in").unwrap().attribute("value"), Some("go"));
}
