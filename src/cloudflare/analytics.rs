//! The analytics port on Cloudflare's Analytics Engine, by the binding `ANALYTICS`, which is there only where somebody added it.

use js_sys::{Function, JSON, Reflect};
use worker::{
    AnalyticsEngineDataset, Env,
    wasm_bindgen::{JsCast, JsValue},
};

use crate::ports::{Analytics, Point};

/// The data set, if there is one.
pub(super) struct AnalyticsEngine(Option<AnalyticsEngineDataset>);

impl AnalyticsEngine {
    /// Looks the binding up.
    pub(super) fn of(env: &Env) -> Self {
        let found = Reflect::get(env.as_ref(), &JsValue::from_str("ANALYTICS")).ok();
        Self(found.filter(JsValue::is_object).map(JsCast::unchecked_into))
    }
}

impl Analytics for AnalyticsEngine {
    fn write(&self, point: &Point<'_>) {
        let Some(dataset) = &self.0 else { return };
        let write = Reflect::get(dataset.as_ref(), &JsValue::from_str("writeDataPoint"));
        // A point that is lost fails nothing.
        if let (Ok(write), Ok(point)) = (write, JSON::parse(&point.to_json().to_string())) {
            let _ = write.unchecked_into::<Function>().call1(dataset.as_ref(), &point);
        }
    }
}
