//! Figures for people.

use super::load::{CONNECTIONS, Cost};

pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) cost: Cost,
    pub(crate) floor: (&'static str, f64),
    pub(crate) gate: Option<f64>,
    pub(crate) goal: Option<f64>,
}

pub(crate) fn print_table(engine: &str, rows: &[Row]) {
    println!("\n{engine}, {CONNECTIONS} connections; ms of CPU an operation");
    println!(
        "{:<24} {:>9} {:>9} {:>9}  {:<15} {:>7} {:>6} {:>6}  verdict",
        "operation", "count", "provider", "database", "floor", "ratio", "gate", "goal"
    );
    for Row { what, cost, floor: (floor, floor_ms), gate, goal } in rows {
        let ratio = cost.ms / floor_ms;
        let limit = |limit: Option<f64>| limit.map_or("-".to_owned(), |limit| format!("{limit:.2}"));
        let verdict = match (gate, goal) {
            (Some(gate), _) if ratio > *gate => "ABOVE THE GATE",
            (_, Some(goal)) if ratio > *goal => "above the goal",
            _ => "good",
        };
        println!(
            "{what:<24} {:>9} {:>9.4} {:>9.4}  {floor:<15} {ratio:>7.2} {:>6} {:>6}  {verdict}",
            cost.operations,
            cost.ms,
            cost.database_ms,
            limit(*gate),
            limit(*goal)
        );
    }
}
