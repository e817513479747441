//! Chinese in simplified characters, with `您`. Seventy characters are one SMS, the origin's line included: so it is terse.

use super::Language;

pub(super) static CHINESE: Language = Language {
    sms: [
        "{{otp_code}}是{{app.name}}验证码，{{ttl_minutes}}分钟有效，勿泄露\n{{origin_binding}}",
        "{{otp_code}}是{{app.name}}绑定手机验证码，{{ttl_minutes}}分钟有效\n{{origin_binding}}",
        "{{otp_code}}是{{app.name}}重置密码验证码，{{ttl_minutes}}分钟有效，勿泄露\n{{origin_binding}}",
        "邀请您创建{{app.name}}账户：{{link}}",
        "{{change}}。{{advice}}",
    ],
    voice: [
        "您好，这里是{{app.name}}，来电为您播报验证码。",
        "您好，这里是{{app.name}}，来电为您播报验证码，用于将此电话添加到您的账户。",
        "您好，这里是{{app.name}}，来电为您播报验证码，用于重置您的密码。",
    ],
    email: emails! {
        rules: "{{ttl_minutes}}分钟内有效，请在要求输入验证码的地方填写。\n\n\
            请勿告诉任何人：{{app.name}}的工作人员不会向您索取验证码。\n\n\
            如果您没有申请，可以忽略此邮件：",
        codes: [
            "{{otp_code}}是您的{{app.name}}验证码",
            "您的{{app.name}}验证码：",
            "看不到验证码的人无法使用它。";
            "{{otp_code}}是您的{{app.name}}验证码，用于添加此邮箱",
            "用于将此邮箱添加到您的{{app.name}}账户的验证码：",
            "没有验证码，您的邮箱不会被添加。";
            "{{otp_code}}是您的{{app.name}}验证码，用于重置密码",
            "用于重置您的{{app.name}}密码的验证码：",
            "没有验证码，您的密码不会改变。"
        ],
        invitation: "邀请您使用{{app.name}}",
            "邀请您创建{{app.name}}账户。请打开此链接：\n\n{{link}}\n\n\
            链接只能使用一次，有效期至{{expires_at}}。它证明此邮箱属于您，请勿转给他人。\n\n\
            如果您不清楚为何收到邀请，可以忽略此邮件：不会创建任何账户。",
        notice: "{{change}}。时间：{{time}}。",
    },
    added: sentences!("您的{{app.name}}账户已添加", "";
        "电话号码", "邮箱", "身份验证器应用", "通行密钥", "密码", "恢复代码", "登录方式"),
    removed: sentences!("您的{{app.name}}账户已移除", "";
        "电话号码", "邮箱", "身份验证器应用", "通行密钥", "密码", "恢复代码", "登录方式"),
    changed: [
        "您的{{app.name}}账户已移除所有两步验证方式",
        "您的{{app.name}}账户已生成新的恢复代码",
        "您的{{app.name}}账户密码已更改",
        "您的{{app.name}}账户邮箱已更改",
        "您的{{app.name}}账户电话号码已更改",
        "登录您的{{app.name}}账户时，邮件验证码代替了两步验证",
        "登录您的{{app.name}}账户时，恢复代码代替了两步验证",
        "有人试图用您的{{app.name}}账户的邮箱或电话号码注册",
    ],
    advice: [
        "如非本人操作，请登录并检查安全设置。",
        "如是本人操作，请直接登录：未作任何更改。",
        "如是本人操作，您无需做任何事。\n\n\
            如非本人操作，可能有他人进入了您的账户：请照常打开{{app.name}}，在安全设置中撤销此更改，并联系客服。\n\n\
            此邮件特意不含链接。请自行打开{{app.name}}，切勿通过任何消息进入。",
        "如是本人操作：您已有账户。请打开{{app.name}}并登录，或在那里重置密码。\n\n\
            如非本人操作，您无需做任何事：没有人登录您的账户，也没有任何更改。",
    ],
};
