//! French, with `vous`. `ç`, `ê` and the like are not in GSM-7: an SMS has none, which is why it says `par e-mail` and not `reçu`.

use super::Language;

pub(super) static FRENCH: Language = Language {
    sms: [
        "{{otp_code}} est votre code {{app.name}}. Il est valable {{ttl_minutes}} min. Ne le communiquez à personne.\n\n{{origin_binding}}",
        "{{otp_code}} est le code pour ajouter ce téléphone à votre compte {{app.name}}. Il est valable {{ttl_minutes}} min.\n\n{{origin_binding}}",
        "{{otp_code}} est le code pour changer votre mot de passe {{app.name}}. Valable {{ttl_minutes}} min. Ne le communiquez à personne.\n\n{{origin_binding}}",
        "{{app.name}} vous invite à créer votre compte : {{link}}",
        "{{change}}. {{advice}}",
    ],
    voice: [
        "Bonjour. Ici {{app.name}}. Nous vous appelons pour vous donner votre code de vérification.",
        "Bonjour. Ici {{app.name}}. Nous vous appelons pour vous donner le code qui permet d'ajouter ce téléphone à votre compte.",
        "Bonjour. Ici {{app.name}}. Nous vous appelons pour vous donner le code qui permet de réinitialiser votre mot de passe.",
    ],
    email: emails! {
        rules: "Il est valable {{ttl_minutes}} min. Saisissez-le là où il vous a été demandé.\n\n\
            Ne le communiquez à personne : personne chez {{app.name}} ne vous le demandera.\n\n\
            Si vous ne l'avez pas demandé, vous pouvez ignorer cet e-mail : ",
        codes: [
            "{{otp_code}} est votre code {{app.name}}",
            "Votre code {{app.name}} :",
            "le code ne sert à rien à qui ne le voit pas.";
            "{{otp_code}} est votre code {{app.name}} pour ajouter cette adresse",
            "Votre code pour ajouter cette adresse à votre compte {{app.name}} :",
            "sans le code, votre adresse ne sera pas ajoutée.";
            "{{otp_code}} est votre code {{app.name}} pour réinitialiser votre mot de passe",
            "Votre code pour réinitialiser votre mot de passe {{app.name}} :",
            "sans le code, votre mot de passe ne change pas."
        ],
        invitation: "Invitation à rejoindre {{app.name}}",
            "{{app.name}} vous invite à créer votre compte. Ouvrez ce lien :\n\n{{link}}\n\n\
            Il fonctionne une seule fois, jusqu'au {{expires_at}}. Il prouve que cette adresse est la vôtre : ne le transmettez à personne.\n\n\
            Si vous ne l'attendiez pas, vous pouvez ignorer cet e-mail : aucun compte ne sera créé.",
        notice: "{{change}}. Date et heure : {{time}}.",
    },
    added: sentences!("", " à votre compte {{app.name}}";
        "Un numéro de téléphone" + " a été ajouté", "Une adresse e-mail" + " a été ajoutée",
        "Une application d'authentification" + " a été ajoutée", "Une clé d'accès" + " a été ajoutée",
        "Un mot de passe" + " a été ajouté", "Des codes de récupération" + " ont été ajoutés",
        "Un moyen de connexion" + " a été ajouté"),
    removed: sentences!("", " de votre compte {{app.name}}";
        "Un numéro de téléphone" + " a été supprimé", "Une adresse e-mail" + " a été supprimée",
        "Une application d'authentification" + " a été supprimée", "Une clé d'accès" + " a été supprimée",
        "Un mot de passe" + " a été supprimé", "Des codes de récupération" + " ont été supprimés",
        "Un moyen de connexion" + " a été supprimé"),
    changed: [
        "Tous les moyens de validation en deux étapes ont été supprimés de votre compte {{app.name}}",
        "De nouveaux codes de récupération ont été créés pour votre compte {{app.name}}",
        "Le mot de passe de votre compte {{app.name}} a été modifié",
        "L'adresse e-mail de votre compte {{app.name}} a été modifiée",
        "Le numéro de téléphone de votre compte {{app.name}} a été modifié",
        "Un code par e-mail a remplacé la seconde étape lors d'une connexion à votre compte {{app.name}}",
        "Un code de récupération a remplacé la seconde étape lors d'une connexion à votre compte {{app.name}}",
        "Quelqu'un a essayé de s'inscrire avec l'adresse ou le numéro de votre compte {{app.name}}",
    ],
    advice: [
        "Si ce n'est pas vous, connectez-vous et vérifiez vos paramètres de sécurité.",
        "Si c'est vous, connectez-vous : rien n'a été modifié.",
        "Si c'est vous, vous n'avez rien à faire.\n\n\
            Si ce n'est pas vous, quelqu'un d'autre a peut-être accédé à votre compte : ouvrez {{app.name}} comme d'habitude, \
            annulez la modification dans vos paramètres de sécurité et prévenez l'assistance.\n\n\
            Cet e-mail ne contient volontairement aucun lien. Accédez à {{app.name}} par vous-même, jamais à partir d'un message.",
        "Si c'est vous : vous avez déjà un compte. Ouvrez {{app.name}} et connectez-vous, ou réinitialisez-y votre mot de passe.\n\n\
            Si ce n'est pas vous, vous n'avez rien à faire : personne n'a accédé à votre compte et rien n'a été modifié.",
    ],
};
