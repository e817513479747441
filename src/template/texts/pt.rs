//! Portuguese as in Brazil, in words that Portugal reads too. An SMS says `token`, as banks do, and has no `ã`, `ç`, `ê` or `ó`,
//! which are not in GSM-7.

use super::Language;

pub(super) static PORTUGUESE: Language = Language {
    sms: [
        "{{otp_code}} é seu token {{app.name}}. Vale por {{ttl_minutes}} min. Jamais o revele a ninguém.\n\n{{origin_binding}}",
        "{{otp_code}} é o token para adicionar este telefone à sua conta {{app.name}}. Vale por {{ttl_minutes}} min.\n\n{{origin_binding}}",
        "{{otp_code}} é o token para redefinir sua senha {{app.name}}. Vale por {{ttl_minutes}} min. Jamais o revele a ninguém.\n\n{{origin_binding}}",
        "Convite para criar sua conta {{app.name}}: {{link}}",
        "{{change}}. {{advice}}",
    ],
    voice: [
        "Olá. Esta é uma chamada de {{app.name}} com o seu código de verificação.",
        "Olá. Esta é uma chamada de {{app.name}} com o código para adicionar este telefone à sua conta.",
        "Olá. Esta é uma chamada de {{app.name}} com o código para redefinir a sua senha.",
    ],
    email: emails! {
        rules: "Vale por {{ttl_minutes}} min. Digite-o onde ele foi solicitado.\n\n\
            Não o revele a ninguém: ninguém de {{app.name}} vai pedi-lo.\n\n\
            Se você não o solicitou, pode ignorar este e-mail: ",
        codes: [
            "{{otp_code}} é seu código {{app.name}}",
            "Seu código {{app.name}}:",
            "o código não serve para quem não o vê.";
            "{{otp_code}} é seu código {{app.name}} para adicionar este endereço",
            "Seu código para adicionar este endereço à sua conta {{app.name}}:",
            "sem o código, seu endereço não será adicionado.";
            "{{otp_code}} é seu código {{app.name}} para redefinir sua senha",
            "Seu código para redefinir sua senha {{app.name}}:",
            "sem o código, sua senha não muda."
        ],
        invitation: "Convite para {{app.name}}",
            "Este é um convite para criar sua conta {{app.name}}. Abra este link:\n\n{{link}}\n\n\
            Ele funciona uma única vez, até {{expires_at}}. Ele comprova que este endereço é seu: não o repasse a ninguém.\n\n\
            Se você não o esperava, pode ignorar este e-mail: nenhuma conta será criada.",
        notice: "{{change}}. Data e hora: {{time}}.",
    },
    added: sentences!("", " à sua conta {{app.name}}";
        "Um telefone" + " foi adicionado", "Um e-mail" + " foi adicionado", "Um aplicativo autenticador" + " foi adicionado",
        "Uma chave de acesso" + " foi adicionada", "Uma senha" + " foi adicionada",
        "Códigos de recuperação" + " foram adicionados", "Um método de acesso" + " foi adicionado"),
    removed: sentences!("", " da sua conta {{app.name}}";
        "Um telefone" + " foi removido", "Um e-mail" + " foi removido", "Um aplicativo autenticador" + " foi removido",
        "Uma chave de acesso" + " foi removida", "Uma senha" + " foi removida",
        "Códigos de recuperação" + " foram removidos", "Um método de acesso" + " foi removido"),
    changed: [
        "Todos os segundos fatores foram removidos da sua conta {{app.name}}",
        "Novos códigos de recuperação foram criados para a sua conta {{app.name}}",
        "A senha da sua conta {{app.name}} foi alterada",
        "O e-mail da sua conta {{app.name}} foi alterado",
        "O telefone da sua conta {{app.name}} foi alterado",
        "Um código por e-mail substituiu o segundo fator em um acesso à sua conta {{app.name}}",
        "Um código de recuperação substituiu o segundo fator em um acesso à sua conta {{app.name}}",
        "Alguém tentou se cadastrar com o e-mail ou o telefone da sua conta {{app.name}}",
    ],
    advice: [
        "Se foi outra pessoa, entre na sua conta e revise seus dados de acesso.",
        "Se a conta é sua, basta entrar: nada foi alterado.",
        "Se foi você, não é preciso fazer nada.\n\n\
            Se não foi você, outra pessoa pode ter acessado sua conta: abra {{app.name}} como de costume, desfaça a alteração \
            nas configurações de segurança e avise o suporte.\n\n\
            Este e-mail não tem links de propósito. Acesse {{app.name}} diretamente, nunca por uma mensagem.",
        "Se foi você: você já tem uma conta. Abra {{app.name}} e entre, ou redefina sua senha lá.\n\n\
            Se não foi você, não é preciso fazer nada: ninguém entrou e nada foi alterado.",
    ],
};
