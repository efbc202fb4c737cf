//! `/account` in a real browser.
