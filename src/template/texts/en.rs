//! English.

use super::Language;

pub(super) static ENGLISH: Language = Language {
    sms: [
        "{{otp_code}} is your {{app.name}} code. It works for {{ttl_minutes}} min. Tell it to nobody.\n\n{{origin_binding}}",
        "{{otp_code}} adds this phone to your {{app.name}} account. It works for {{ttl_minutes}} min.\n\n{{origin_binding}}",
        "{{otp_code}} resets your {{app.name}} password. It works for {{ttl_minutes}} min. Tell it to nobody.\n\n{{origin_binding}}",
        "You are invited to create your {{app.name}} account: {{link}}",
        "{{change}}. {{advice}}",
    ],
    voice: [
        "Hello. This is {{app.name}}, calling with your verification code.",
        "Hello. This is {{app.name}}, calling with the code that adds this phone to your account.",
        "Hello. This is {{app.name}}, calling with the code that resets your password.",
    ],
    email: emails! {
        rules: "It works for {{ttl_minutes}} min. Enter it where you were asked for it.\n\n\
            Tell it to nobody: nobody from {{app.name}} will ask you for it.\n\n\
            If you did not ask for it, you can ignore this e-mail: ",
        codes: [
            "{{otp_code}} is your {{app.name}} code",
            "Your {{app.name}} code:",
            "the code is of no use to anyone who does not see it.";
            "{{otp_code}} is your {{app.name}} code to add this address",
            "Your code to add this address to your {{app.name}} account:",
            "without the code your address is not added.";
            "{{otp_code}} is your {{app.name}} code to reset your password",
            "Your code to reset your {{app.name}} password:",
            "without the code your password stays as it is."
        ],
        invitation: "You are invited to {{app.name}}",
            "You are invited to create your {{app.name}} account. Open this link:\n\n{{link}}\n\n\
            It works once, until {{expires_at}}. It proves that this address is yours: pass it on to nobody.\n\n\
            If you did not expect it, you can ignore this e-mail: no account is made.",
        notice: "{{change}}. The time was {{time}}.",
    },
    added: sentences!("", " added to your {{app.name}} account";
        "A phone number" + " was", "An e-mail address" + " was", "An authenticator app" + " was", "A passkey" + " was",
        "A password" + " was", "Recovery codes" + " were", "A way to sign in" + " was"),
    removed: sentences!("", " removed from your {{app.name}} account";
        "A phone number" + " was", "An e-mail address" + " was", "An authenticator app" + " was", "A passkey" + " was",
        "A password" + " was", "Recovery codes" + " were", "A way to sign in" + " was"),
    changed: [
        "All second steps were removed from your {{app.name}} account",
        "New recovery codes were made for your {{app.name}} account",
        "The password was changed for your {{app.name}} account",
        "The e-mail address was changed for your {{app.name}} account",
        "The phone number was changed for your {{app.name}} account",
        "An e-mail code stood in for a second step at a sign-in to your {{app.name}} account",
        "A recovery code stood in for a second step at a sign-in to your {{app.name}} account",
        "Somebody tried to sign up with the address or number of your {{app.name}} account",
    ],
    advice: [
        "If it was not you, sign in and check your security settings.",
        "If it was you, sign in instead: nothing was changed.",
        "If this was you, there is nothing to do.\n\n\
            If it was not you, somebody else may have got into your account: open {{app.name}} as you always do, undo the \
            change in your security settings, and tell its support.\n\n\
            This e-mail has no link on purpose. Reach {{app.name}} by yourself, never through a message.",
        "If this was you: you have an account already. Open {{app.name}} and sign in, or reset your password there.\n\n\
            If it was not you, there is nothing to do: nobody got in, and nothing was changed.",
    ],
};
