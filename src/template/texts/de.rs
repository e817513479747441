//! German, with `Sie`. An app's name stands after `bei` and `für`, so that no compound has to be made of it.

use super::Language;

pub(super) static GERMAN: Language = Language {
    sms: [
        "{{otp_code}} ist Ihr Code für {{app.name}}. Er gilt {{ttl_minutes}} Min. Geben Sie ihn an niemanden weiter.\n\n{{origin_binding}}",
        "{{otp_code}} ist der Code, um dieses Telefon zu Ihrem Konto bei {{app.name}} hinzuzufügen. Er gilt {{ttl_minutes}} Min.\n\n{{origin_binding}}",
        "{{otp_code}} ist der Code für ein neues Passwort bei {{app.name}}. Er gilt {{ttl_minutes}} Min. Geben Sie ihn an niemanden weiter.\n\n{{origin_binding}}",
        "{{app.name}} lädt Sie ein, Ihr Konto zu erstellen: {{link}}",
        "{{change}}. {{advice}}",
    ],
    voice: [
        "Guten Tag. Hier ist {{app.name}} mit Ihrem Bestätigungscode.",
        "Guten Tag. Hier ist {{app.name}} mit dem Code, mit dem Sie dieses Telefon zu Ihrem Konto hinzufügen.",
        "Guten Tag. Hier ist {{app.name}} mit dem Code, mit dem Sie Ihr Passwort zurücksetzen.",
    ],
    email: emails! {
        rules: "Er gilt {{ttl_minutes}} Min. Geben Sie ihn dort ein, wo Sie danach gefragt wurden.\n\n\
            Geben Sie ihn an niemanden weiter: Niemand von {{app.name}} wird Sie danach fragen.\n\n\
            Falls Sie ihn nicht angefordert haben, können Sie diese E-Mail ignorieren: ",
        codes: [
            "{{otp_code}} ist Ihr Code für {{app.name}}",
            "Ihr Code für {{app.name}}:",
            "Der Code nützt niemandem, der ihn nicht sieht.";
            "{{otp_code}} ist Ihr Code für {{app.name}}, um diese Adresse hinzuzufügen",
            "Ihr Code, um diese Adresse zu Ihrem Konto bei {{app.name}} hinzuzufügen:",
            "Ohne den Code wird Ihre Adresse nicht hinzugefügt.";
            "{{otp_code}} ist Ihr Code für {{app.name}}, um Ihr Passwort zurückzusetzen",
            "Ihr Code, um Ihr Passwort für {{app.name}} zurückzusetzen:",
            "Ohne den Code bleibt Ihr Passwort, wie es ist."
        ],
        invitation: "Einladung zu {{app.name}}",
            "{{app.name}} lädt Sie ein, Ihr Konto zu erstellen. Öffnen Sie diesen Link:\n\n{{link}}\n\n\
            Er funktioniert einmal, bis {{expires_at}}. Er beweist, dass diese Adresse Ihnen gehört: Geben Sie ihn an niemanden weiter.\n\n\
            Falls Sie keine Einladung erwartet haben, können Sie diese E-Mail ignorieren: Es wird kein Konto erstellt.",
        notice: "{{change}}. Zeitpunkt: {{time}}.",
    },
    added: sentences!("Ihrem Konto bei {{app.name}} ", " hinzugefügt";
        "wurde eine Telefonnummer", "wurde eine E-Mail-Adresse", "wurde eine Authentifizierungs-App", "wurde ein Passkey",
        "wurde ein Passwort", "wurden Wiederherstellungscodes", "wurde eine Anmeldemethode"),
    removed: sentences!("Aus Ihrem Konto bei {{app.name}} ", " entfernt";
        "wurde eine Telefonnummer", "wurde eine E-Mail-Adresse", "wurde eine Authentifizierungs-App", "wurde ein Passkey",
        "wurde ein Passwort", "wurden Wiederherstellungscodes", "wurde eine Anmeldemethode"),
    changed: [
        "Aus Ihrem Konto bei {{app.name}} wurden alle zweiten Faktoren entfernt",
        "Für Ihr Konto bei {{app.name}} wurden neue Wiederherstellungscodes erstellt",
        "Das Passwort Ihres Kontos bei {{app.name}} wurde geändert",
        "Die E-Mail-Adresse Ihres Kontos bei {{app.name}} wurde geändert",
        "Die Telefonnummer Ihres Kontos bei {{app.name}} wurde geändert",
        "Bei einer Anmeldung in Ihrem Konto bei {{app.name}} hat ein E-Mail-Code den zweiten Faktor ersetzt",
        "Bei einer Anmeldung in Ihrem Konto bei {{app.name}} hat ein Wiederherstellungscode den zweiten Faktor ersetzt",
        "Jemand hat versucht, sich mit der Adresse oder Nummer Ihres Kontos bei {{app.name}} zu registrieren",
    ],
    advice: [
        "Falls Sie das nicht waren, prüfen Sie bitte Ihre Sicherheitseinstellungen.",
        "Falls Sie das waren, melden Sie sich an: Es wurde nichts geändert.",
        "Falls Sie das waren, müssen Sie nichts tun.\n\n\
            Falls Sie das nicht waren, hatte möglicherweise jemand anderes Zugriff auf Ihr Konto: Öffnen Sie {{app.name}} wie \
            gewohnt, machen Sie die Änderung in Ihren Sicherheitseinstellungen rückgängig und informieren Sie den Support.\n\n\
            Diese E-Mail enthält absichtlich keinen Link. Öffnen Sie {{app.name}} selbst, nie über eine Nachricht.",
        "Falls Sie das waren: Sie haben bereits ein Konto. Öffnen Sie {{app.name}} und melden Sie sich an, oder setzen Sie \
            dort Ihr Passwort zurück.\n\n\
            Falls Sie das nicht waren, müssen Sie nichts tun: Niemand hatte Zugriff, und nichts wurde geändert.",
    ],
};
