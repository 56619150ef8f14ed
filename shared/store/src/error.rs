//! What can go wrong at the store, by who must act.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::items::ImageError;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first, or a key was taken: reload consistently and decide again.
    #[error("conflict: the {0} was written by somebody else")]
    Conflict(Role),
    /// The store is away or busy: try later.
    #[error("the store is away: {0}")]
    Retryable(String),
    /// The request can never succeed, or what is stored cannot be read: somebody must look.
    #[error("the store refused: {0}")]
    Permanent(String),
    /// Nobody of this name is a member.
    #[error("there is no such member")]
    UnknownMember,
    /// The cursor is none that we gave out.
    #[error("the cursor is none of ours")]
    BadCursor,
}

/// What a write was for; a conflict names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The member's profile, guarded by its version.
    Profile,
    /// A journal entry.
    Entry,
    /// A coupon.
    Coupon,
    /// A coupon's code in the directory; a collision draws again.
    CouponCode,
    /// A way to find a new member.
    DirectoryKey,
    /// How to reach a member.
    Person,
    /// What a rater has given so far.
    Rater,
    /// That a member is part of another one.
    Merge,
    /// The mark of what is posted once for ever.
    Once,
    /// A version of the programme.
    Programme,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "profile",
            Self::Entry => "journal entry",
            Self::Coupon => "coupon",
            Self::CouponCode => "coupon code",
            Self::DirectoryKey => "directory key",
            Self::Person => "person",
            Self::Rater => "rater's history",
            Self::Merge => "merge",
            Self::Once => "mark of what is posted once",
            Self::Programme => "programme",
        })
    }
}

/// What DynamoDB answers to a request that can never succeed. Everything else, a missing table or permission
/// included, is mended outside the data, and what was to be written must still be there then: it is
/// retryable.
const NEVER: [&str; 4] = [
    "ValidationException",
    "SerializationException",
    "ItemCollectionSizeLimitExceededException",
    "IdempotentParameterMismatchException",
];

impl StoreError {
    /// The error of a call that has no refusal of its own to expect.
    pub(crate) fn from_sdk<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Self {
        let Some(service) = error.as_service_error() else {
            return Self::Retryable(transport(error).to_owned());
        };
        let code = service.code().unwrap_or("an error without a code");
        let told = format!("{code}: {}", service.message().unwrap_or_default());
        if NEVER.contains(&code) { Self::Permanent(told) } else { Self::Retryable(told) }
    }
}

impl From<ImageError> for StoreError {
    fn from(error: ImageError) -> Self {
        Self::Permanent(error.to_string())
    }
}

fn transport<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be built",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "the request did not get through",
        SdkError::ResponseError(_) => "the answer could not be read",
        _ => "the call failed",
    }
}
