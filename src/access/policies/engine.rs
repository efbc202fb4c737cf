//! Deciding: the questions of a batch, each by itself.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, EntityUid, Policy, PolicySet, Request,
    RestrictedExpression,
};
use chrono::{DateTime, SecondsFormat, Utc};

use super::compile::{self, Compiled};
use super::entities::{Made, Own};
use super::index::{Index, Side};
use super::types::{ActionType, Extension, Path, Type, Types};
use super::{Bundle, Decision, Fault, Known, Object, Question, Trouble, Uid};

/// A bundle made ready to decide.
pub struct Engine {
    types: Types,
    policies: PolicySet,
    index: Index,
    /// The entities of the bundle that each policy names, in the index' order.
    literals: Vec<Vec<EntityUid>>,
    own: Own,
    /// The actions with all that they are in.
    actions: HashMap<EntityUid, (Entity, Vec<EntityUid>)>,
    warnings: Vec<Fault>,
    authorizer: Authorizer,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("policies", &self.index.len()).finish_non_exhaustive()
    }
}

/// An entity, by what is said of it.
type Said<'a> = (&'a Object, Result<Rc<Made>, String>);

/// What is made once for a batch.
#[derive(Default)]
struct Kept<'a> {
    /// By side, type and id; more than one where different things are said.
    entities: HashMap<(&'static str, &'a str, &'a str), Vec<Said<'a>>>,
    /// The circumstances of the question before that wanted to know the same of them: mostly a batch has one for all.
    contexts: HashMap<usize, (&'a Question, Result<Rc<Circumstances>, String>)>,
    /// What may count for a question, by the numbers in the index.
    policies: HashMap<Vec<usize>, Rc<PolicySet>>,
}

/// What the schema wants to know of the circumstances, and which entities that names.
struct Circumstances {
    context: Context,
    refs: Vec<EntityUid>,
}

impl Engine {
    /// Everything that is wrong with a bundle, or what decides by it.
    pub fn compile(bundle: &Bundle) -> Result<Self, Vec<Fault>> {
        let Compiled { schema, schema_json, policies, entities, warnings } = compile::compile(bundle)?;
        let fault = |message: String| vec![Fault::new(Some("schema"), message)];
        let types = Types::read(&schema, &schema_json).map_err(fault)?;
        let own = Own::new(&entities);
        let all = schema.action_entities().map_err(|error| fault(error.to_string()))?;
        let with_ancestors = |entity: &Entity| {
            let ancestors = all.ancestors(&entity.uid()).into_iter().flatten().cloned().collect();
            (entity.uid(), (entity.clone(), ancestors))
        };
        let actions = all.iter().map(with_ancestors).collect();
        let index = Index::new(&policies);
        let named =
            |policy: &Policy| policy.entity_literals().into_iter().filter(|uid| own.get(uid).is_some()).collect();
        let literals = index.policies().iter().map(named).collect();
        Ok(Self { types, policies, index, literals, own, actions, warnings, authorizer: Authorizer::new() })
    }

    /// What an operator should look at, though it is in force.
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// One decision for each question, in order; none depends on the others.
    pub fn decide(&self, questions: &[Question], known: &HashMap<Uid, Known>, now: DateTime<Utc>) -> Vec<Decision> {
        let mut kept = Kept::default();
        questions.iter().map(|question| self.decide_one(question, known, now, &mut kept, false)).collect()
    }

    fn decide_one<'a>(
        &self,
        question: &'a Question,
        known: &HashMap<Uid, Known>,
        now: DateTime<Utc>,
        kept: &mut Kept<'a>,
        whole: bool,
    ) -> Decision {
        if !known.is_empty() && known.get(&question.subject.uid()).is_some_and(|known| known.disabled) {
            return Decision::default();
        }
        match self.evaluate(question, known, now, kept, whole) {
            Ok(decision) => decision,
            Err(message) => Decision { error: Some(Trouble::Question(message)), ..Decision::default() },
        }
    }

    fn evaluate<'a>(
        &self,
        question: &'a Question,
        known: &HashMap<Uid, Known>,
        now: DateTime<Utc>,
        kept: &mut Kept<'a>,
        whole: bool,
    ) -> Result<Decision, String> {
        let declared =
            self.types.action(&question.action.name).ok_or("action.name: the schema declares no such action")?;
        if !declared.subjects.contains(&question.subject.kind) {
            return Err("subject.type: the schema declares the action for others".to_owned());
        }
        if !declared.resources.contains(&question.resource.kind) {
            return Err("resource.type: the schema declares the action for others".to_owned());
        }
        let (action, groups) =
            self.actions.get(&declared.uid).ok_or("action.name: the schema declares no such action")?;
        let subject = self.made("subject", &question.subject, known, kept)?;
        let resource = self.made("resource", &question.resource, known, kept)?;
        if subject.uid == resource.uid && !subject.is_like(&resource) {
            return Err("resource.properties: the subject is the same, and other things are said of it".to_owned());
        }
        let circumstances = self.circumstances(declared, question, now, kept)?;

        let candidates = self.index.candidates(
            &Side { uid: &subject.uid, ancestors: &subject.ancestors },
            &Side { uid: &declared.uid, ancestors: groups },
            &Side { uid: &resource.uid, ancestors: &resource.ancestors },
        );
        let whole = whole || candidates.len() * 2 > self.index.len();
        let literals: Vec<&EntityUid> = if whole {
            self.literals.iter().flatten().collect()
        } else {
            candidates.iter().filter_map(|number| self.literals.get(*number)).flatten().collect()
        };
        let named = literals.into_iter().chain(&circumstances.refs);
        let entities = self.own.reached([&*subject, &*resource], action, named)?;
        let context = circumstances.context.clone();
        let request = Request::new(subject.uid.clone(), declared.uid.clone(), resource.uid.clone(), context, None)
            .map_err(|error| error.to_string())?;
        let picked;
        let policies = if whole {
            &self.policies
        } else {
            picked = self.picked(candidates, kept)?;
            &*picked
        };
        Ok(self.answer(&request, policies, &entities))
    }

    fn picked(&self, candidates: Vec<usize>, kept: &mut Kept<'_>) -> Result<Rc<PolicySet>, String> {
        if let Some(before) = kept.policies.get(&candidates) {
            return Ok(before.clone());
        }
        let few = candidates.iter().filter_map(|number| self.index.policy(*number)).cloned();
        let picked = Rc::new(PolicySet::from_policies(few).map_err(|error| error.to_string())?);
        kept.policies.insert(candidates, picked.clone());
        Ok(picked)
    }

    fn answer(&self, request: &Request, policies: &PolicySet, entities: &Entities) -> Decision {
        let response = self.authorizer.is_authorized(request, policies, entities);
        let mut deciding: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        deciding.sort();
        let errors = response.diagnostics().errors().map(|AuthorizationError::PolicyEvaluationError(error)| {
            (error.policy_id().to_string(), error.inner().to_string())
        });
        // A prohibition that cannot be evaluated must not be passed over.
        if let Some((policy, message)) = errors.min() {
            return Decision { error: Some(Trouble::Policy { policy, message }), ..Decision::default() };
        }
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        Decision { allowed, policies: deciding, error: None }
    }

    fn made<'a>(
        &self,
        side: &'static str,
        said: &'a Object,
        known: &HashMap<Uid, Known>,
        kept: &mut Kept<'a>,
    ) -> Result<Rc<Made>, String> {
        let alike = kept.entities.entry((side, &said.kind, &said.id)).or_default();
        if let Some((_, made)) = alike.iter().find(|(other, _)| other.properties == said.properties) {
            return made.clone();
        }
        let known = if known.is_empty() { None } else { known.get(&said.uid()) };
        let made = self.own.make(&self.types, side, said, known).map(Rc::new);
        alike.push((said, made.clone()));
        made
    }

    fn circumstances<'a>(
        &self,
        declared: &ActionType,
        question: &'a Question,
        now: DateTime<Utc>,
        kept: &mut Kept<'a>,
    ) -> Result<Rc<Circumstances>, String> {
        if let Some((before, made)) = kept.contexts.get(&declared.wants)
            && before.action.properties == question.action.properties
            && before.context == question.context
        {
            return made.clone();
        }
        let made = self.context(declared, question, now).map(Rc::new);
        kept.contexts.insert(declared.wants, (question, made.clone()));
        made
    }

    fn context(&self, declared: &ActionType, question: &Question, now: DateTime<Utc>) -> Result<Circumstances, String> {
        let (mut refs, mut pairs) = (Vec::new(), Vec::with_capacity(declared.context.len()));
        let mut path = Path::new(&["context"]);
        for (name, member) in &declared.context {
            let value = match (name.as_str(), &member.kind) {
                ("now", Type::Extension(Extension::Datetime)) => {
                    Some(RestrictedExpression::new_datetime(now.to_rfc3339_opts(SecondsFormat::Millis, true)))
                }
                ("action", Type::Record(shape)) => {
                    let mut path = Path::new(&["action", "properties"]);
                    let record = self.types.record(shape, &question.action.properties, &mut path, &mut refs)?;
                    Some(RestrictedExpression::new_record(record).map_err(|error| error.to_string())?)
                }
                _ => path.within(name, |path| match question.context.get(name).filter(|value| !value.is_null()) {
                    Some(value) => self.types.convert(&member.kind, value, path, &mut refs).map(Some),
                    None if member.required => Err(format!("{path} is missing")),
                    None => Ok(None),
                })?,
            };
            pairs.extend(value.map(|value| (name.clone(), value)));
        }
        let context = Context::from_pairs(pairs).map_err(|error| format!("context: {error}"))?;
        Ok(Circumstances { context, refs })
    }
}
