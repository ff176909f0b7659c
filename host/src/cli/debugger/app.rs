//! All that is asked and shown, without a terminal.

use anyhow::Result;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use refrain::id::ExecutionId;

use super::filter::Filter;
use super::keys::{self, Action, Question, Sought};
use super::level::{Level, View};
use super::pages::{self, Page};
use super::seeking::{self, Typed, Way};
use super::styles::Styles;

/// The parts of the screen, in the order of the key Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Graph,
    Events,
    State,
    Node,
    Queue,
}

pub(super) const PANES: [Pane; 5] = [
    Pane::Graph,
    Pane::Events,
    Pane::State,
    Pane::Node,
    Pane::Queue,
];

/// A line that is being typed.
pub(super) struct Prompt {
    pub(super) question: Question,
    pub(super) line: String,
    /// Whether the line is that of the last time, and the first character typed replaces it.
    pub(super) is_of_before: bool,
}

impl Prompt {
    /// Takes a key that neither ends the prompt nor answers it.
    fn edit(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.line.clear();
            }
            KeyCode::Char(c) => {
                if self.is_of_before {
                    self.line.clear();
                }
                self.line.push(c);
            }
            KeyCode::Backspace => drop(self.line.pop()),
            KeyCode::Left | KeyCode::Right | KeyCode::Home | KeyCode::End => {}
            _ => return,
        }
        self.is_of_before = false;
    }
}

/// Opens the log of a child, by the id of that.
pub(super) type OpenChild<'a> = dyn FnMut(ExecutionId) -> Result<Level> + 'a;

/// What is asked and shown.
pub(super) struct App<'a> {
    /// The log that was named, and those of children that were entered, the present one last.
    levels: Vec<Level>,
    open_child: &'a mut OpenChild<'a>,
    pub(super) styles: Styles,
    pub(super) pane: Pane,
    /// Whether the part with the focus has the screen for itself.
    pub(super) is_zoomed: bool,
    pub(super) page: Option<Page>,
    pub(super) prompt: Option<Prompt>,
    typed: Typed,
    filter: String,
    /// What became of the last key, where the screen does not show it.
    pub(super) message: Option<String>,
    /// How far the parts are scrolled that are only read: the node's and the queue's.
    pub(super) scroll: usize,
    /// Whether the chosen node stays while the place moves.
    keeps_node: bool,
    /// Whether it is over.
    pub(super) is_over: bool,
}

impl<'a> App<'a> {
    pub(super) fn new(level: Level, styles: Styles, open_child: &'a mut OpenChild<'a>) -> Self {
        Self {
            levels: vec![level],
            open_child,
            styles,
            pane: Pane::Graph,
            is_zoomed: false,
            page: None,
            prompt: None,
            typed: Typed::default(),
            filter: String::new(),
            message: None,
            scroll: 0,
            keeps_node: false,
            is_over: false,
        }
    }

    /// The log that is looked at.
    pub(super) fn level(&self) -> &Level {
        self.levels.last().expect("the log that was named stays")
    }

    pub(super) fn level_mut(&mut self) -> &mut Level {
        self.levels
            .last_mut()
            .expect("the log that was named stays")
    }

    /// How many children lie between the log that was named and the one that is looked at.
    pub(super) fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    /// The log that was named has grown.
    pub(super) fn follow(&mut self, grown: Level) {
        let before = std::mem::replace(&mut self.levels[0], grown);
        self.levels[0].look_as(before);
    }

    /// The last event of the log that was named, as far as it is known.
    pub(super) fn named_last(&self) -> u64 {
        self.levels[0].last()
    }

    /// Asks the guest for what is not known of the place yet. Whether there was anything to ask.
    pub(super) fn ask(&mut self) -> bool {
        let is_kept = self.keeps_node;
        self.level_mut().ask(is_kept)
    }

    /// A key was pressed.
    pub(super) fn press(&mut self, key: KeyEvent) {
        self.message = None;
        if self.prompt.is_some() {
            return self.type_into_prompt(key);
        }
        let Some(action) = keys::action(key) else {
            return;
        };
        if self.page.is_some() {
            return self.act_on_page(action);
        }
        let before = (self.depth(), self.level().sequence());
        if let Err(message) = self.act(action) {
            self.message = Some(message);
        }
        let now = (self.depth(), self.level().sequence());
        if now != before && !self.keeps_node {
            self.level_mut().choose_node_of_event();
        }
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        let place = self.level().sequence();
        match action {
            Action::Step => self.level_mut().go(place + 1),
            Action::Back => self.level_mut().go(place.saturating_sub(1)),
            Action::PageForward => self.pass_listed(PAGE),
            Action::PageBack => self.pass_listed(-PAGE),
            Action::First => self.level_mut().go(0),
            Action::Last => self.level_mut().go(u64::MAX),
            Action::Next(sought) => self.seek(sought, Way::On)?,
            Action::Previous(sought) => self.seek(sought, Way::Back)?,
            Action::Ask(question) => {
                let line = match question {
                    Question::Sequence => String::new(),
                    Question::Text => self.typed.text.clone(),
                    Question::Filter => self.filter.clone(),
                    Question::Condition => self.typed.condition.clone(),
                };
                self.prompt = Some(Prompt {
                    question,
                    is_of_before: !line.is_empty(),
                    line,
                });
            }
            Action::Origin => seeking::origin(self.level_mut())?,
            Action::NextStep => self.page = Some(pages::next_step(self.level_mut())?),
            Action::WhatWouldRun => self.page = Some(pages::what_would_run(self.level_mut())?),
            Action::Up => self.move_within_pane(-1),
            Action::Down => self.move_within_pane(1),
            Action::Enter => self.enter()?,
            Action::Leave => self.leave(),
            Action::NextPane => self.turn_to_pane(1),
            Action::PreviousPane => self.turn_to_pane(PANES.len() - 1),
            Action::Keep => {
                self.keeps_node = !self.keeps_node;
                let kept = if self.keeps_node {
                    "is kept"
                } else {
                    "follows the place"
                };
                self.message = Some(format!("the chosen node {kept}"));
            }
            Action::Zoom => self.is_zoomed = !self.is_zoomed,
            Action::Help => self.page = Some(pages::help()),
            Action::Quit => self.is_over = true,
        }
        Ok(())
    }

    fn turn_to_pane(&mut self, further: usize) {
        let place = PANES.iter().position(|pane| *pane == self.pane);
        self.pane = PANES[(place.unwrap_or(0) + further) % PANES.len()];
        self.scroll = 0;
    }

    fn seek(&mut self, sought: Sought, way: Way) -> Result<(), String> {
        let level = self
            .levels
            .last_mut()
            .expect("the log that was named stays");
        seeking::seek(level, sought, way, &self.typed)
    }

    /// Goes so many listed events on, or back.
    fn pass_listed(&mut self, count: isize) {
        let level = self.level_mut();
        let before = level.listed_before();
        let is_on_one = before > 0 && level.listed(before - 1) == Some(level.sequence());
        // Between two of them, one step back leads to the one before.
        let count = count + isize::from(count < 0 && !is_on_one);
        let to = before
            .saturating_add_signed(count)
            .min(level.listed_count());
        match to.checked_sub(1) {
            Some(place) => {
                if let Some(sequence) = level.listed(place) {
                    level.go(sequence);
                }
            }
            None => level.go(0),
        }
    }

    fn move_within_pane(&mut self, count: isize) {
        match self.pane {
            Pane::Graph => self.choose_node(count),
            Pane::Events => self.pass_listed(count),
            Pane::State => self.choose_key(count),
            Pane::Node | Pane::Queue => {
                self.scroll = self.scroll.saturating_add_signed(count);
            }
        }
    }

    fn choose_node(&mut self, count: isize) {
        let level = self.level_mut();
        let ids = level.shown_nodes();
        let place = ids.iter().position(|id| Some(id) == level.node.as_ref());
        let next = place.map_or(0, |place| place.saturating_add_signed(count));
        if let Some(id) = ids.get(next.min(ids.len().saturating_sub(1))) {
            level.node = Some(id.clone());
        }
    }

    fn choose_key(&mut self, count: isize) {
        let level = self.level_mut();
        let (Some(Ok(state)), _) = level.state() else {
            return;
        };
        let place = state
            .iter()
            .position(|it| Some(&it.key) == level.key.as_ref());
        let next = place.map_or(0, |place| place.saturating_add_signed(count));
        let found = state.get(next.min(state.len().saturating_sub(1)));
        if let Some(key) = found.map(|it| it.key.clone()) {
            level.key = Some(key);
        }
    }

    fn enter(&mut self) -> Result<(), String> {
        match self.pane {
            Pane::Graph | Pane::Node | Pane::Queue => self.enter_node(),
            Pane::Events => match self.level_mut().choose_node_of_event() {
                true => Ok(()),
                false => Err("this event is about no node".to_owned()),
            },
            Pane::State => {
                self.page = Some(pages::value(self.level_mut())?);
                Ok(())
            }
        }
    }

    /// Into the instances of a map, or into the log of a child.
    fn enter_node(&mut self) -> Result<(), String> {
        let level = self.level_mut();
        let id = level.node.clone().ok_or("choose a node first")?;
        let node = level.nodes().named(&id).cloned();
        if node.as_ref().is_some_and(|node| node.instances.is_some()) {
            level.view = View::Map(id.clone());
            level.node = Some(format!("{id}[0]"));
            return Ok(());
        }
        let Some(child) = level.child() else {
            return Err(format!(
                "{id} is neither a map that was expanded nor has it a child here"
            ));
        };
        let opened = (self.open_child)(child);
        let opened = opened.map_err(|error| crate::cli::failure::line(&error))?;
        self.levels.push(opened);
        Ok(())
    }

    fn leave(&mut self) {
        if self.is_zoomed {
            self.is_zoomed = false;
        } else if let View::Map(map) = self.level().view.clone() {
            let level = self.level_mut();
            level.view = View::Layers;
            level.node = Some(map);
        } else if self.levels.len() > 1 {
            self.levels.pop();
        }
    }

    fn act_on_page(&mut self, action: Action) {
        let Some(page) = &mut self.page else {
            return;
        };
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::PageBack => -PAGE,
            Action::PageForward => PAGE,
            Action::Quit | Action::Leave | Action::Enter | Action::Help => {
                self.page = None;
                return;
            }
            _ => return,
        };
        page.scroll_by(by);
    }

    fn type_into_prompt(&mut self, key: KeyEvent) {
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        match key.code {
            KeyCode::Esc => self.prompt = None,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.prompt = None;
            }
            KeyCode::Enter => {
                let Some(Prompt { question, line, .. }) = self.prompt.take() else {
                    return;
                };
                if let Err(message) = self.answer(question, line) {
                    self.message = Some(message);
                }
            }
            _ => prompt.edit(key),
        }
    }

    fn answer(&mut self, question: Question, line: String) -> Result<(), String> {
        match question {
            Question::Sequence => {
                let last = self.level().last();
                let number = line.trim().parse::<u64>().ok();
                let number = number.filter(|number| *number <= last);
                let number = number.ok_or_else(|| {
                    format!("{line:?} is no event: type a number from 0 to {last}")
                })?;
                self.level_mut().go(number);
            }
            Question::Text => {
                self.typed.text = line;
                self.seek(Sought::Text, Way::On)?;
            }
            Question::Condition => {
                self.typed.condition = line;
                self.seek(Sought::Condition, Way::On)?;
            }
            Question::Filter => {
                let filter = Filter::of(&line);
                self.filter = line;
                self.level_mut().list(filter);
                if self.level().listed_count() == 0 {
                    return Err("no event is so: x changes that".to_owned());
                }
            }
        }
        Ok(())
    }
}

/// Events or lines of a screen.
const PAGE: isize = 15;
