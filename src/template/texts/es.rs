//! Spanish for Spain and America alike, with `usted`. An SMS says `clave` and `correo` where a mail says `código`: the
//! accent of `ó` is not in GSM-7 and would double what the SMS costs.

use super::Language;

pub(super) static SPANISH: Language = Language {
    sms: [
        "{{otp_code}} es su clave temporal de {{app.name}}. Vale por {{ttl_minutes}} min. No la comparta con nadie.\n\n{{origin_binding}}",
        "{{otp_code}} es la clave para registrar este teléfono en su cuenta de {{app.name}}. Vale por {{ttl_minutes}} min.\n\n{{origin_binding}}",
        "{{otp_code}} es la clave para cambiar su contraseña de {{app.name}}. Vale por {{ttl_minutes}} min. No la comparta con nadie.\n\n{{origin_binding}}",
        "{{app.name}} le invita a crear su cuenta: {{link}}",
        "{{change}}. {{advice}}",
    ],
    voice: [
        "Hola. Le llama {{app.name}} con su código de verificación.",
        "Hola. Le llama {{app.name}} con el código para registrar este teléfono en su cuenta.",
        "Hola. Le llama {{app.name}} con el código para restablecer su contraseña.",
    ],
    email: emails! {
        rules: "Es válido durante {{ttl_minutes}} min. Introdúzcalo donde se le ha pedido.\n\n\
            No se lo diga a nadie: nadie de {{app.name}} se lo pedirá.\n\n\
            Si no lo ha solicitado, puede ignorar este correo: ",
        codes: [
            "{{otp_code}} es su código de {{app.name}}",
            "Su código de {{app.name}}:",
            "el código no le sirve a nadie que no lo vea.";
            "{{otp_code}} es su código de {{app.name}} para añadir esta dirección",
            "Su código para añadir esta dirección a su cuenta de {{app.name}}:",
            "sin el código no se añadirá su dirección.";
            "{{otp_code}} es su código de {{app.name}} para restablecer su contraseña",
            "Su código para restablecer su contraseña de {{app.name}}:",
            "sin el código su contraseña no cambia."
        ],
        invitation: "Invitación a {{app.name}}",
            "Le invitamos a crear su cuenta de {{app.name}}. Abra este enlace:\n\n{{link}}\n\n\
            Funciona una sola vez, hasta el {{expires_at}}. Demuestra que esta dirección es suya: no se lo pase a nadie.\n\n\
            Si no lo esperaba, puede ignorar este correo: no se creará ninguna cuenta.",
        notice: "{{change}}. Fecha y hora: {{time}}.",
    },
    added: sentences!("Se ", " a su cuenta de {{app.name}}";
        "ha añadido un teléfono", "ha añadido un correo", "ha añadido una app autenticadora",
        "ha añadido una llave de acceso", "ha añadido una contraseña", "han añadido códigos de recuperación",
        "ha añadido un método de acceso"),
    removed: sentences!("Se ", " de su cuenta de {{app.name}}";
        "ha eliminado un teléfono", "ha eliminado un correo", "ha eliminado una app autenticadora",
        "ha eliminado una llave de acceso", "ha eliminado una contraseña", "han eliminado códigos de recuperación",
        "ha eliminado un método de acceso"),
    changed: [
        "Se han eliminado todos los segundos factores de su cuenta de {{app.name}}",
        "Se han creado códigos de recuperación nuevos para su cuenta de {{app.name}}",
        "Se ha cambiado la contraseña de su cuenta de {{app.name}}",
        "Se ha cambiado el correo de su cuenta de {{app.name}}",
        "Se ha cambiado el teléfono de su cuenta de {{app.name}}",
        "Un código por correo ha sustituido al segundo factor en un acceso a su cuenta de {{app.name}}",
        "Un código de recuperación ha sustituido al segundo factor en un acceso a su cuenta de {{app.name}}",
        "Alguien ha intentado registrarse con el correo o el teléfono de su cuenta de {{app.name}}",
    ],
    advice: [
        "Si no fue usted, entre en su cuenta y revise los ajustes de seguridad.",
        "Si fue usted, entre en su cuenta: no se ha cambiado nada.",
        "Si fue usted, no tiene que hacer nada.\n\n\
            Si no fue usted, es posible que otra persona haya entrado en su cuenta: abra {{app.name}} como siempre, deshaga \
            el cambio en los ajustes de seguridad y avise al servicio de asistencia.\n\n\
            Este correo no lleva ningún enlace a propósito. Entre en {{app.name}} directamente, nunca a través de un mensaje.",
        "Si fue usted: ya tiene una cuenta. Abra {{app.name}} y entre en ella, o restablezca allí su contraseña.\n\n\
            Si no fue usted, no tiene que hacer nada: nadie ha entrado y no se ha cambiado nada.",
    ],
};
