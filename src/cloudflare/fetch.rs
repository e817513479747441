//! The fetch port on the Workers fetch API.

use futures_util::TryStreamExt;
use worker::{
    AbortSignal, Fetch as WorkerFetch, Headers, Method, Request, RequestInit, RequestRedirect, send::SendFuture,
    wasm_bindgen::JsValue,
};

use crate::ports::{Fetch, FetchError, OutgoingRequest, OutgoingResponse, PortFuture, RESPONSE_LIMIT};

/// The global `fetch`.
pub(super) struct WorkersFetch;

impl Fetch for WorkersFetch {
    fn fetch(&self, request: OutgoingRequest) -> PortFuture<'_, Result<OutgoingResponse, FetchError>> {
        Box::pin(SendFuture::new(async move {
            let millis = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX);
            let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(millis));
            let outgoing = build(&request).map_err(|_| FetchError::Network)?;
            let mut response =
                WorkerFetch::Request(outgoing).send_with_signal(&signal).await.map_err(|error| classify(&error))?;
            let status = response.status_code();
            let mut bytes = Vec::new();
            if let Ok(mut stream) = response.stream() {
                while bytes.len() < RESPONSE_LIMIT
                    && let Some(chunk) = stream.try_next().await.map_err(|error| classify(&error))?
                {
                    bytes.extend_from_slice(&chunk);
                }
            }
            bytes.truncate(RESPONSE_LIMIT);
            Ok(OutgoingResponse { status, body: String::from_utf8_lossy(&bytes).into_owned() })
        }))
    }
}

fn build(request: &OutgoingRequest) -> worker::Result<Request> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::from(request.method.to_owned()))
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        // A GET with a body, even an empty one, is refused.
        .with_body((request.method != "GET").then(|| JsValue::from_str(&request.body)));
    Request::new_with_init(&request.url, &init)
}

/// workerd names a passed time limit `TimeoutError`; all else is a lost connection.
fn classify(error: &worker::Error) -> FetchError {
    let text = error.to_string();
    if text.contains("TimeoutError") || text.contains("aborted due to timeout") {
        FetchError::Timeout
    } else {
        FetchError::Network
    }
}
