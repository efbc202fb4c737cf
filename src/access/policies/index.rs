//! Which policies can count for a question, by what their scopes say: only those are evaluated.

use std::collections::HashMap;

use cedar_policy::{
    ActionConstraint, EntityTypeName, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint,
};

/// What a scope asks of its principal, action or resource.
#[derive(Default)]
struct Dimension {
    any: Vec<usize>,
    entities: HashMap<EntityUid, Vec<usize>>,
    types: HashMap<EntityTypeName, Vec<usize>>,
}

impl Dimension {
    fn entity(&mut self, uid: EntityUid, policy: usize) {
        self.entities.entry(uid).or_default().push(policy);
    }

    fn kind(&mut self, kind: EntityTypeName, policy: usize) {
        self.types.entry(kind).or_default().push(policy);
    }

    /// Marks the policies that this may satisfy.
    fn mark(&self, one: &Side, marks: &mut [u64]) {
        let lists = std::iter::once(&self.any)
            .chain(self.types.get(one.uid.type_name()))
            .chain(self.entities.get(one.uid))
            .chain(one.ancestors.iter().filter_map(|ancestor| self.entities.get(ancestor)));
        for policy in lists.flatten() {
            if let Some(word) = marks.get_mut(policy / 64) {
                *word |= 1 << (policy % 64);
            }
        }
    }
}

/// One of the three that a question is about, with all that it is in.
pub(super) struct Side<'a> {
    pub(super) uid: &'a EntityUid,
    pub(super) ancestors: &'a [EntityUid],
}

/// All policies by their scopes.
pub(super) struct Index {
    policies: Vec<Policy>,
    principals: Dimension,
    actions: Dimension,
    resources: Dimension,
}

impl Index {
    pub(super) fn new(all: &PolicySet) -> Self {
        let mut policies: Vec<Policy> = all.policies().cloned().collect();
        policies.sort_by(|a, b| a.id().cmp(b.id()));
        let (mut principals, mut actions, mut resources) =
            (Dimension::default(), Dimension::default(), Dimension::default());
        for (number, policy) in policies.iter().enumerate() {
            match policy.principal_constraint() {
                PrincipalConstraint::Any => principals.any.push(number),
                // What is a type and in something is found by what it is in.
                PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
                    principals.entity(uid, number);
                }
                PrincipalConstraint::Is(kind) => principals.kind(kind, number),
            }
            match policy.action_constraint() {
                ActionConstraint::Any => actions.any.push(number),
                ActionConstraint::Eq(uid) => actions.entity(uid, number),
                ActionConstraint::In(uids) => uids.into_iter().for_each(|uid| actions.entity(uid, number)),
            }
            match policy.resource_constraint() {
                ResourceConstraint::Any => resources.any.push(number),
                ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => {
                    resources.entity(uid, number);
                }
                ResourceConstraint::Is(kind) => resources.kind(kind, number),
            }
        }
        Self { policies, principals, actions, resources }
    }

    pub(super) fn len(&self) -> usize {
        self.policies.len()
    }

    /// The numbers of the policies whose scopes may hold, in order.
    pub(super) fn candidates(&self, principal: &Side, action: &Side, resource: &Side) -> Vec<usize> {
        let words = self.policies.len().div_ceil(64);
        let mut marks = [vec![0_u64; words], vec![0; words], vec![0; words]];
        let [principals, actions, resources] = &mut marks;
        self.principals.mark(principal, principals);
        self.actions.mark(action, actions);
        self.resources.mark(resource, resources);
        let mut found = Vec::new();
        for (number, ((principal, action), resource)) in
            principals.iter().zip(actions.iter()).zip(resources.iter()).enumerate()
        {
            let mut word = principal & action & resource;
            while word != 0 {
                found.push(number * 64 + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
        found
    }

    pub(super) fn policy(&self, number: usize) -> Option<&Policy> {
        self.policies.get(number)
    }

    pub(super) fn policies(&self) -> &[Policy] {
        &self.policies
    }
}
